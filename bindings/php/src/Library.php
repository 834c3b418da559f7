<?php

declare(strict_types=1);

namespace Slaclock;

use DateTimeImmutable;
use DateTimeInterface;
use DateTimeZone;
use FFI;

/** The C library and the conversions that all calls share. */
final class Library
{
    /** An instant that is not there. */
    public const NONE = PHP_INT_MIN;

    private const ABI_VERSION = 0;
    private const INVALID_ARGUMENT = 3;
    private const UNSUPPORTED = 24;

    private static ?FFI $ffi = null;

    /** The loaded library. UnsupportedException says what is missing where it cannot be loaded. */
    public static function ffi(): FFI
    {
        return self::$ffi ??= self::load();
    }

    /** The library's version, like `0.1.0`. */
    public static function version(): string
    {
        return self::ffi()->slaclock_version();
    }

    /** Calls `slaclock_$function`, whose last parameter is the error; throws what it reports. */
    public static function call(string $function, mixed ...$arguments): void
    {
        $ffi = self::ffi();
        $error = $ffi->new('slaclock_error');
        $error->size = FFI::sizeof($error);
        $status = $ffi->{"slaclock_$function"}(...[...$arguments, FFI::addr($error)]);
        if ($status !== 0) {
            throw self::exception($ffi, $status, $error);
        }
    }

    /** Calls a function that gives a handle of this type through its last parameter but one. */
    public static function handle(string $type, string $function, mixed ...$arguments): FFI\CData
    {
        $handle = self::ffi()->new("$type *");
        self::call($function, ...[...$arguments, FFI::addr($handle)]);
        return $handle;
    }

    /** Calls a function that gives a text through its last parameter but one. */
    public static function text(string $function, mixed ...$arguments): string
    {
        return self::take(self::handle('slaclock_text', $function, ...$arguments));
    }

    /** The same for JSON. */
    public static function json(string $function, mixed ...$arguments): array
    {
        return json_decode(self::text($function, ...$arguments), true, 512, JSON_THROW_ON_ERROR);
    }

    /** The text of a handle, which is freed. */
    public static function take(FFI\CData $text): string
    {
        try {
            return self::ffi()->slaclock_text_data($text);
        } finally {
            self::ffi()->slaclock_text_free($text);
        }
    }

    /** A document for the library; what is null is left out. */
    public static function encode(array $document): string
    {
        try {
            return json_encode($document, JSON_THROW_ON_ERROR | JSON_UNESCAPED_UNICODE);
        } catch (\JsonException $cause) {
            throw new InvalidArgumentException($cause->getMessage(), self::INVALID_ARGUMENT, previous: $cause);
        }
    }

    /** A text that a struct points to, which must be kept as long as the struct is used: the bytes, or null. */
    public static function bytes(?string $text): ?FFI\CData
    {
        if ($text === null) {
            return null;
        }
        $bytes = self::ffi()->new(sprintf('char[%d]', strlen($text) + 1));
        FFI::memcpy($bytes, $text, strlen($text));
        return $bytes;
    }

    /** Facts by name as a handle, or null for none. The caller frees it. */
    public static function facts(array $facts): ?FFI\CData
    {
        if ($facts === []) {
            return null;
        }
        $json = self::encode($facts);
        return self::handle('slaclock_facts', 'facts_from_json', $json, strlen($json));
    }

    /** Seconds since 1970-01-01T00:00:00Z. */
    public static function seconds(DateTimeInterface $instant): int
    {
        return $instant->getTimestamp();
    }

    /** The same for "now", the one place that reads the system's clock. */
    public static function now(?DateTimeInterface $now): int
    {
        return $now === null ? time() : $now->getTimestamp();
    }

    public static function instant(int $seconds): DateTimeImmutable
    {
        return (new DateTimeImmutable("@$seconds"))->setTimezone(new DateTimeZone(date_default_timezone_get()));
    }

    public static function maybeInstant(?int $seconds): ?DateTimeImmutable
    {
        return $seconds === null || $seconds === self::NONE ? null : self::instant($seconds);
    }

    /** Days since 1970-01-01 of a date as its own zone has it. */
    public static function day(DateTimeInterface $date): int
    {
        return intdiv((new DateTimeImmutable($date->format('Y-m-d'), new DateTimeZone('UTC')))->getTimestamp(), 86400);
    }

    private static function load(): FFI
    {
        if (!extension_loaded('ffi')) {
            throw new UnsupportedException('PHP has no FFI here: install or enable the extension `ffi`', self::UNSUPPORTED);
        }
        try {
            // What ffi.preload declared, where there is such a thing.
            $ffi = FFI::scope('slaclock');
        } catch (FFI\Exception) {
            $ffi = self::define();
        }
        $found = $ffi->slaclock_abi_version();
        if ($found !== self::ABI_VERSION) {
            $message = "the library's interface has number $found, this class needs " . self::ABI_VERSION;
            throw new UnsupportedException($message, self::UNSUPPORTED);
        }
        return $ffi;
    }

    private static function define(): FFI
    {
        $library = getenv('SLACLOCK_LIBRARY') ?: 'libslaclock.so.0';
        try {
            // FFI::cdef knows no preprocessor: the two lines that ffi.preload needs are left out.
            return FFI::cdef(preg_replace('/^#.*$/m', '', file_get_contents(self::header())), $library);
        } catch (FFI\Exception $cause) {
            $cure = 'set SLACLOCK_LIBRARY to its path, or in php.ini `ffi.preload` to the path of slaclock_ffi.h';
            $message = "cannot load `$library`: {$cause->getMessage()}: $cure";
            throw new UnsupportedException($message, self::UNSUPPORTED, previous: $cause);
        }
    }

    private static function header(): string
    {
        $places = [dirname(__DIR__), dirname(__DIR__, 3) . '/include', '/usr/local/include', '/usr/include'];
        foreach ($places as $place) {
            if (is_file("$place/slaclock_ffi.h")) {
                return "$place/slaclock_ffi.h";
            }
        }
        $message = 'slaclock_ffi.h is in none of ' . implode(', ', $places);
        throw new UnsupportedException($message, self::UNSUPPORTED);
    }

    private static function exception(FFI $ffi, int $status, FFI\CData $error): SlaclockException
    {
        $message = FFI::string($error->message);
        if (str_ends_with($message, '...')) {
            // Too long for the struct. PHP calls from one thread, so the last error is this one.
            $message = $ffi->slaclock_last_error();
        }
        $class = __NAMESPACE__ . '\\' . $ffi->slaclock_status_name($status) . 'Exception';
        if (!class_exists($class)) {
            $class = SlaclockException::class;
        }
        return new $class($message, $status, $error->reason, $error->line, $error->column);
    }
}
