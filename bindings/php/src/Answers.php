<?php

declare(strict_types=1);

namespace Slaclock;

use DateTimeImmutable;
use FFI;

/** One clock of a request. */
final class ClockStatus
{
    /**
     * @param string $stage `idle`, `on_track`, `at_risk`, `late`, `breached`, `paused`, `met`, `missed`, `cancelled`
     * @param int $cycle number of the latest cycle; 0 if it has not started
     * @param ?DateTimeImmutable $dueAt null while paused, without deadline, or not started
     * @param ?DateTimeImmutable $limitAt when it breaches; null without backstop
     * @param ?int $remaining seconds left of the target in its own time, while paused
     * @param ?string $noDeadline why there is no deadline, if there is none
     * @param bool $beyondKnownHolidays the deadline counts past the last date up to which the holidays are known
     */
    public function __construct(
        public readonly string $clock,
        public readonly string $stage,
        public readonly int $cycle,
        public readonly ?DateTimeImmutable $startedAt,
        public readonly ?DateTimeImmutable $dueAt,
        public readonly ?DateTimeImmutable $limitAt,
        public readonly ?DateTimeImmutable $finishedAt,
        public readonly ?int $remaining,
        public readonly ?string $noDeadline,
        public readonly bool $beyondKnownHolidays,
    ) {}

    /** @return array<string, self> by the clock's name, in the order of the policy */
    public static function all(array $documents): array
    {
        $clocks = [];
        foreach ($documents as $one) {
            $clocks[$one['clock']] = new self(
                $one['clock'],
                $one['stage'],
                $one['cycle'],
                Library::maybeInstant($one['started_at']),
                Library::maybeInstant($one['due_at']),
                Library::maybeInstant($one['limit_at']),
                Library::maybeInstant($one['finished_at']),
                $one['remaining'],
                $one['no_deadline'],
                $one['beyond_known_holidays'],
            );
        }
        return $clocks;
    }
}

/** What became of something written. */
final class Written
{
    /**
     * @param bool $isNew false if the same content was there already, under the same id or key
     * @param array<string, ClockStatus> $clocks the request's clocks by name, right after its latest event
     */
    public function __construct(public readonly bool $isNew, public readonly array $clocks) {}

    public static function of(array $document): self
    {
        return new self($document['outcome'] === 'recorded', ClockStatus::all($document['clocks']));
    }
}

/** A running clock in the answer to a scan. */
final class Row
{
    private const STAGES = [
        'idle', 'on_track', 'at_risk', 'late', 'breached', 'paused', 'met', 'missed', 'cancelled',
    ];

    public function __construct(
        public readonly string $request,
        public readonly string $clock,
        public readonly int $cycle,
        public readonly string $stage,
        public readonly DateTimeImmutable $dueAt,
        public readonly ?DateTimeImmutable $limitAt,
        public readonly DateTimeImmutable $startedAt,
    ) {}

    public static function of(FFI\CData $row): self
    {
        return new self(
            FFI::string($row->request),
            FFI::string($row->clock),
            $row->cycle,
            self::STAGES[$row->stage] ?? "stage $row->stage",
            Library::instant($row->due_at),
            Library::maybeInstant($row->limit_at),
            Library::instant($row->started_at),
        );
    }
}

/** One crossing of a threshold. */
final class Notice
{
    /**
     * @param int $number from 1, without gaps
     * @param string $threshold `warning`, `late`, `breached`, `waived`; about a period `budget_exhausted` or
     *     `period_breached`; about no request `review` or `reading`
     * @param ?int $percent of a warning
     * @param DateTimeImmutable $at when the threshold was passed, not when somebody looked
     * @param bool $byChange a change of facts, not the passing of time, put it into the past
     * @param bool $retracted the same notice was given before and turned out not to be true
     * @param ?string $period of a notice about a promised share, from its first date to its last
     */
    public function __construct(
        public readonly int $number,
        public readonly string $request,
        public readonly string $clock,
        public readonly int $cycle,
        public readonly string $threshold,
        public readonly ?int $percent,
        public readonly DateTimeImmutable $at,
        public readonly bool $byChange,
        public readonly bool $retracted,
        public readonly ?string $period = null,
    ) {}

    public static function of(array $document): self
    {
        $threshold = $document['threshold'];
        return new self(
            $document['number'],
            $document['request'],
            $document['clock'],
            $document['cycle'],
            is_array($threshold) ? array_key_first($threshold) : $threshold,
            is_array($threshold) ? reset($threshold) : null,
            Library::instant($document['at']),
            $document['by_change'],
            $document['retracted'],
            isset($document['period']) ? implode('..', $document['period']) : null,
        );
    }
}
