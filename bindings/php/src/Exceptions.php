<?php

declare(strict_types=1);

namespace Slaclock;

/** What a call of the library came to, if it failed. `getCode()` is the status number, the same in every language. */
class SlaclockException extends \RuntimeException
{
    /**
     * @param int $noDeadline of a NoDeadlineException: the reason's number, else 0
     * @param int $textLine   line of the policy that is wrong, from 1; 0 where the trouble is not in a text
     * @param int $textColumn column in that line, from 1, in characters; 0 likewise
     */
    final public function __construct(
        string $message,
        int $status,
        public readonly int $noDeadline = 0,
        public readonly int $textLine = 0,
        public readonly int $textColumn = 0,
        ?\Throwable $previous = null,
    ) {
        parent::__construct($message, $status, $previous);
    }
}

final class NotFoundException extends SlaclockException {}
final class OutOfRangeException extends SlaclockException {}
final class InvalidArgumentException extends SlaclockException {}
final class InvalidPolicyException extends SlaclockException {}
final class InvalidCalendarException extends SlaclockException {}
final class UnknownZoneException extends SlaclockException {}
final class InvalidEventException extends SlaclockException {}
final class ConflictException extends SlaclockException {}
final class NoDeadlineException extends SlaclockException {}
final class PausedException extends SlaclockException {}
final class AlreadyExistsException extends SlaclockException {}
final class BusyException extends SlaclockException {}
final class ForkedHandleException extends SlaclockException {}
final class ClosedException extends SlaclockException {}
final class ReadOnlyException extends SlaclockException {}
final class DamagedException extends SlaclockException {}
final class NotADatabaseException extends SlaclockException {}
final class NewerFormatException extends SlaclockException {}
final class IoException extends SlaclockException {}
final class StorageFullException extends SlaclockException {}
final class InvalidMappingException extends SlaclockException {}
final class InvalidRowException extends SlaclockException {}
final class CancelledException extends SlaclockException {}
final class UnsupportedException extends SlaclockException {}
final class InternalException extends SlaclockException {}
/** The customer's expedites of the month are used up; the message says when one is free again. */
final class QuotaExceededException extends SlaclockException {}
