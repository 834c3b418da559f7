<?php

/**
 * slaclock for PHP: policies, deadlines and databases of promises to customers, over the C library.
 *
 * Instants come in as any DateTimeInterface, are floored to whole seconds, and come out as DateTimeImmutable in PHP's
 * default time zone (`date_default_timezone_get()`); `Policy::zone()` names the zone of a clock's calendar. Where
 * `$now` is left out, the system clock is read. Spans are seconds. Texts are UTF-8.
 *
 * What goes wrong is thrown as a SlaclockException, one class for each kind of error; its code is the library's
 * status number.
 *
 * The library is found through `ffi.preload` (php-fpm; see README.md) or, where `ffi.enable` allows it, by name: the
 * environment variable SLACLOCK_LIBRARY, or `libslaclock.so.0` in the places where the system looks for libraries.
 */

declare(strict_types=1);

require_once __DIR__ . '/src/Exceptions.php';
require_once __DIR__ . '/src/Library.php';
require_once __DIR__ . '/src/Answers.php';
require_once __DIR__ . '/src/Policy.php';
require_once __DIR__ . '/src/Batch.php';
require_once __DIR__ . '/src/Database.php';
