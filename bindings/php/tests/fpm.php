<?php

/**
 * What a web request of a CRM does, for the test `fpm`: opens the database, submits a case or looks what is late, and
 * says which worker did it and how long the open took. `slaclock.php` is not required here: it is preloaded.
 */

declare(strict_types=1);

use Slaclock\Database;

date_default_timezone_set('Europe/Moscow');
header('Content-Type: application/json');

parse_str($_SERVER['QUERY_STRING'], $query);
$now = new DateTimeImmutable('2026-03-10 12:00');

try {
    if ($query['do'] === 'ffi') {
        // An application has no business with FFI itself, and ffi.enable=preload sees to it.
        FFI::cdef('int getpid(void);');
    }
    $start = hrtime(true);
    $db = Database::openOrCreate($_SERVER['SLACLOCK_DATABASE'], $_SERVER['SLACLOCK_POLICY']);
    $opened = hrtime(true);
    $answer = match ($query['do']) {
        'submit' => $db->submit($query['id'], new DateTimeImmutable('2026-03-06 15:00'))->isNew,
        'late' => iterator_count($db->late($now)),
        'verify' => $db->verify(),
    };
    $done = hrtime(true);
    $db->close();
    echo json_encode([
        'worker' => getmypid(),
        'open_us' => intdiv($opened - $start, 1000),
        'call_us' => intdiv($done - $opened, 1000),
        'answer' => $answer,
    ]), "\n";
} catch (Throwable $error) {
    echo json_encode(['worker' => getmypid(), 'error' => $error::class . ': ' . $error->getMessage()]), "\n";
}
