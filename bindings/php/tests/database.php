<?php

/**
 * What could go wrong in PHP, and how this notices it: every call of the class against the library, instants with
 * their zone, one exception class for each status, pages that end, notices handed out once, handles over fork.
 *
 *     php -d ffi.enable=1 tests/database.php [PART OF A TEST'S NAME]
 */

declare(strict_types=1);

namespace Slaclock\Tests;

use DateTimeImmutable;
use DateTimeZone;
use Slaclock\Batch;
use Slaclock\Database;
use Slaclock\Library;
use Slaclock\Policy;

require dirname(__DIR__) . '/slaclock.php';

date_default_timezone_set('Europe/Moscow');

const POLICY = __DIR__ . '/../../../examples/policies/promise.toml';

function equal(mixed $found, mixed $wanted, string $what): void
{
    if ($found !== $wanted) {
        [$found, $wanted] = array_map(fn ($value) => substr(var_export($value, true), 0, 1000), [$found, $wanted]);
        throw new \Exception("$what: found $found, wanted $wanted");
    }
}

/** The exception of exactly this class, with the status number of its name. */
function thrown(string $class, callable $call): \Slaclock\SlaclockException
{
    try {
        $call();
    } catch (\Slaclock\SlaclockException $error) {
        equal($error::class, "Slaclock\\$class", $error->getMessage());
        return $error;
    }
    throw new \Exception("no $class");
}

function at(string $text): DateTimeImmutable
{
    return new DateTimeImmutable($text);
}

function text(?DateTimeImmutable $instant): ?string
{
    return $instant?->format('D Y-m-d H:i:s T');
}

/** A path in a fresh folder that goes when the script ends. */
function path(): string
{
    $folder = sys_get_temp_dir() . '/slaclock-php-' . bin2hex(random_bytes(6));
    mkdir($folder);
    register_shutdown_function(function (int $owner) use ($folder) {
        if (getmypid() === $owner) {
            array_map(unlink(...), glob("$folder/*"));
            rmdir($folder);
        }
    }, getmypid());
    return "$folder/care.slaclock";
}

$tests = [];

$tests['every status has its exception class'] = function () {
    for ($status = 1; ($name = Library::ffi()->slaclock_status_name($status)) !== 'Unknown'; $status++) {
        equal(is_subclass_of("Slaclock\\{$name}Exception", \Slaclock\SlaclockException::class), true, "$status $name");
    }
    equal($status > 25, true, 'statuses walked');
    $classes = array_filter(get_declared_classes(), fn ($class) => is_subclass_of($class, \Slaclock\SlaclockException::class));
    equal(count($classes), $status - 1, 'classes');
};

$tests['a policy answers'] = function () {
    $policy = Policy::load(POLICY);
    equal($policy->describe()['name'], 'customer-care', 'name');
    equal(text($policy->due('resolution', at('2026-03-06 15:00'))), 'Mon 2026-03-09 11:00:00 MSK', 'after the cut-off');
    equal(text($policy->due('resolution', at('2026-03-06 13:59:59'))), 'Fri 2026-03-06 18:00:00 MSK', 'before the cut-off');
    equal(text($policy->due('resolution', at('2026-03-06 13:59:59.999'))), 'Fri 2026-03-06 18:00:00 MSK', 'floored');
    equal(text($policy->due('resolution', at('2026-03-06T12:00:00Z'))), 'Mon 2026-03-09 11:00:00 MSK', 'a receipt in UTC');
    equal(text($policy->limit('resolution', at('2026-03-06 15:00'))), 'Wed 2026-03-11 18:00:00 MSK', 'limit');
    equal($policy->limit('update', at('2026-03-06 15:00')), null, 'no backstop');
    equal($policy->zone('resolution')->getName(), 'Europe/Moscow', 'zone');
    $due = $policy->dueMany('resolution', ['a' => at('2026-03-06 15:00'), 'b' => at('2026-03-07 10:00')]);
    equal(array_map(text(...), $due), ['a' => 'Mon 2026-03-09 11:00:00 MSK', 'b' => 'Mon 2026-03-09 11:00:00 MSK'], 'column');
    equal($policy->dueMany('resolution', []), [], 'empty column');
    equal(str_contains($policy->explain('resolution', at('2026-03-06 15:00')), 'Mon 2026-03-09 11:00'), true, 'proof');
    equal(Policy::fromText($policy->source())->describe(), $policy->describe(), 'source');
    equal(array_column($policy->lint(at('2027-06-01')), 'code') !== [], true, 'lint');
    thrown('NotFoundException', fn () => $policy->due('resolutoin', at('2026-03-06 15:00')));
    thrown('OutOfRangeException', fn () => $policy->due('resolution', at('2100-01-01 15:00')));
    thrown('NotFoundException', fn () => Policy::load('/nowhere/promise.toml'));
    thrown('InvalidArgumentException', fn () => $policy->due('resolution', at('2026-03-06 15:00'), ['priority' => "\xff"]));
};

$tests['errors say what and where'] = function () {
    $text = file_get_contents(POLICY);
    $error = thrown('InvalidPolicyException', fn () => Policy::fromText(str_replace('09:00-18:00', '09:00-25:00', $text)));
    equal([$error->textLine, $error->textColumn], [12, 24], 'line and column');
    thrown('UnknownZoneException', fn () => Policy::fromText(str_replace('Europe/Moscow', 'Europe/Moskow', $text)));
    $long = str_repeat('x', 255);
    $error = thrown('NotFoundException', fn () => Database::inMemory(Policy::load(POLICY))->clocks($long));
    equal(str_contains($error->getMessage(), "`$long`: "), true, 'a message longer than the struct has room for');
};

$tests['facts choose the rule'] = function () {
    $policy = Policy::load(__DIR__ . '/../../../examples/policies/itil.toml');
    $saturday = at('2026-03-07 23:50 Europe/Berlin');
    $due = $policy->due('resolution', $saturday, ['priority' => 'critical'])->setTimezone($policy->zone('resolution'));
    equal(text($due), 'Sun 2026-03-08 03:50:00 CET', 'critical');
    equal($policy->due('resolution', $saturday) > $due, true, 'anything else');
};

$tests['a request from receipt to report'] = function () {
    $db = Database::inMemory(Policy::load(POLICY));
    $written = $db->submit('CASE-1041', at('2026-03-06 15:00'), customer: 'acme', priority: 'high', attributes: ['x' => 'y']);
    equal($written->isNew, true, 'new');
    equal(text($written->clocks['resolution']->dueAt), 'Mon 2026-03-09 11:00:00 MSK', 'due');
    equal(text($written->clocks['resolution']->limitAt), 'Wed 2026-03-11 18:00:00 MSK', 'limit');
    $again = $db->submit('CASE-1041', at('2026-03-06 15:00'), customer: 'acme', priority: 'high', attributes: ['x' => 'y']);
    equal($again->isNew, false, 'again');
    thrown('ConflictException', fn () => $db->submit('CASE-1041', at('2026-03-06 15:01')));

    $paused = $db->record('CASE-1041', 'paused', at('2026-03-09 09:30'), by: 'ann', reason: 'waiting_customer', key: 'p1');
    equal([$paused->clocks['resolution']->stage, $paused->clocks['resolution']->remaining], ['paused', 5400], 'paused');
    equal($db->record('CASE-1041', 'paused', at('2026-03-09 09:30'), by: 'ann', reason: 'waiting_customer', key: 'p1')->isNew, false, 'key');
    $resumed = $db->record('CASE-1041', 'resumed', at('2026-03-09 16:30'));
    equal(text($resumed->clocks['resolution']->dueAt), 'Mon 2026-03-09 18:00:00 MSK', 'due after the pause');
    thrown('InvalidEventException', fn () => $db->record('CASE-1041', 'paused', at('2026-03-09 17:00')));
    thrown('NotFoundException', fn () => $db->record('CASE-1042', 'resolved', at('2026-03-09 17:00')));
    thrown('InvalidEventException', fn () => $db->record('CASE-1041', 'resolved', at('2026-03-01 17:00')));
    $error = thrown('NotFoundException', fn () => $db->record('CASE-1041', 'faq_linked', at('2026-03-09 17:00'), by: 'ann', faq: 'vpn'));
    equal(str_contains($error->getMessage(), '`vpn`'), true, 'no such FAQ entry');
    thrown('InvalidEventException', fn () => $db->record('CASE-1041', 'faq_linked', at('2026-03-09 17:00'), by: 'ann'));

    equal($db->clocks('CASE-1041', at('2026-03-09 12:00'))['resolution']->stage, 'paused', 'judged at an instant');
    equal($db->get('CASE-1041')['facts']['priority'], 'high', 'facts');
    $resolved = $db->record('CASE-1041', 'resolved', at('2026-03-09 18:00:01'));
    equal($resolved->clocks['resolution']->stage, 'missed', 'a second late');
    equal($db->counts(at('2026-03-10 09:00'))['missed'], 1, 'counts');

    [$group] = $db->attainment('2026-03', by: ['priority'], now: at('2026-04-01 12:00'));
    equal([$group['by'], $group['share_bp'], $group['verdict']], [['priority' => 'high'], 0, 'broken'], 'attainment');
    thrown('InvalidArgumentException', fn () => $db->attainment('March', now: at('2026-04-01')));
    thrown('InvalidArgumentException', fn () => $db->attainment(per: 'fortnight', now: at('2026-04-01')));
    [$hold] = $db->waiting('2026-03', at('2026-04-01 12:00'));
    equal([$hold['reason'], $hold['elapsed'], $hold['working']], ['waiting_customer', 25200, 25200], 'waiting');
    equal(str_contains($db->explain('CASE-1041', 'resolution', at('2026-03-10')), 'waiting_customer'), true, 'explain');
    equal($db->verify()['differing'], 0, 'verify');
    equal($db->info()['requests'], 1, 'info');
    equal($db->policy()->describe()['version'], 1, 'policy');
};

$tests['scans give every page'] = function () {
    $db = Database::inMemory(Policy::load(POLICY));
    $batch = new Batch();
    for ($i = 0; $i < 600; $i++) {
        $batch->submit("CASE-$i", at('2026-03-06 15:00')->modify("+$i seconds"));
    }
    equal(array_unique($db->apply($batch)), [true], 'batch');
    $late = iterator_to_array($db->late(at('2026-03-10 10:00')), false);
    $resolutions = array_filter($late, fn ($row) => $row->clock === 'resolution');
    equal(count($resolutions), 600, 'late');
    equal(array_unique(array_column($resolutions, 'stage')), ['late'], 'stage');
    equal($resolutions[0]->request, 'CASE-0', 'order');
    equal(iterator_to_array($db->breached(at('2026-03-10 10:00')), false), [], 'none breached');
    equal(count(iterator_to_array($db->newlyLate(at('2026-03-09 11:00'), at('2026-03-09 11:00:01')), false)), 600, 'newly late');
    equal(count(iterator_to_array($db->atRisk(at('2026-03-09 10:59')), false)), 600, 'at risk');
    equal(iterator_to_array($db->dueBefore(at('2026-03-09 11:00')), false), [], 'due before is strict');
    equal(text($db->nextDue(at('2026-03-08 12:00'))?->dueAt), 'Mon 2026-03-09 11:00:00 MSK', 'next due');
    equal($db->nextDue(at('2099-01-01')), null, 'none due');
};

$tests['a batch says what is wrong with a row'] = function () {
    $db = Database::inMemory(Policy::load(POLICY));
    $batch = (new Batch())
        ->submit('CASE-1', at('2026-03-06 15:00'))
        ->record('CASE-2', 'resolved', at('2026-03-06 16:00'))
        ->record('CASE-1', 'resolved', at('2026-03-06 16:00'));
    thrown('NotFoundException', fn () => $db->apply($batch));
    equal($db->info()['requests'], 0, 'nothing half written');
    $outcomes = $db->apply($batch, skip: true);
    equal([$outcomes[0], $outcomes[2]], [true, true], 'the right rows');
    equal($outcomes[1]::class, \Slaclock\NotFoundException::class, 'the wrong row');
    equal($db->apply(new Batch()), [], 'empty');
};

$tests['a notice is handed out until it is dealt with'] = function () {
    $db = Database::inMemory(Policy::load(POLICY));
    $db->submit('CASE-1', at('2026-03-06 15:00'));
    $now = at('2026-03-09 11:00:01');
    $seen = [];
    foreach ($db->feed('mailer', $now) as $number => $notice) {
        $seen[] = "$number {$notice->threshold} {$notice->percent} " . text($notice->at);
        if ($number === 2) {
            break;
        }
    }
    equal($seen, ['1 warning 50 Fri 2026-03-06 17:30:00 MSK', '2 warning 75 Mon 2026-03-09 09:45:00 MSK'], 'the first');
    equal(array_map(fn ($notice) => $notice->threshold, iterator_to_array($db->feed('mailer', $now))), [2 => 'warning', 3 => 'late', 4 => 'budget_exhausted'], 'again');
    equal(iterator_to_array($db->feed('mailer', $now)), [], 'all acknowledged');
    equal(count($db->pending('screen')), 4, 'another consumer');
    thrown('OutOfRangeException', fn () => $db->acknowledge('screen', 5));
};

$tests['files open, close and are refused by name'] = function () {
    $path = path();
    thrown('NotFoundException', fn () => Database::open($path));
    $db = Database::openOrCreate($path, POLICY);
    $db->submit('CASE-1', at('2026-03-06 15:00'));
    $db->close();
    $db->close();
    thrown('ClosedException', fn () => $db->counts(at('2026-03-06 16:00')));
    thrown('AlreadyExistsException', fn () => Database::create($path, Policy::load(POLICY)));
    $reader = Database::open($path, readOnly: true);
    equal($reader->info()['requests'], 1, 'read');
    thrown('ReadOnlyException', fn () => $reader->submit('CASE-2', at('2026-03-06 15:00')));
    file_put_contents(dirname($path) . '/text', str_repeat('no database ', 1000));
    thrown('NotADatabaseException', fn () => Database::open(dirname($path) . '/text'));
    thrown('OutOfRangeException', fn () => Database::open($path, busyTimeoutMs: -1));

    $two = Policy::fromText(preg_replace('/version( *)= 1/', 'version$1= 2', file_get_contents(POLICY)));
    $db = Database::open($path);
    $db->install($two, at('2026-04-01 00:00'));
    equal($db->policy()->describe()['version'], 2, 'the new version');
    thrown('ConflictException', fn () => $db->install(Policy::load(POLICY), at('2026-05-01')));
};

$tests['opening again is quick'] = function () {
    $path = path();
    Database::openOrCreate($path, POLICY)->close();
    Database::open($path)->close();
    $times = [];
    for ($i = 0; $i < 50; $i++) {
        $start = hrtime(true);
        $db = Database::open($path);
        $times[] = hrtime(true) - $start;
        $db->close();
    }
    sort($times);
    // Microseconds; a real open takes milliseconds, so half of one tells them apart on a busy machine too.
    equal($times[25] < 500_000, true, "median of opening a file that is open: {$times[25]} ns");
};

$tests['a handle does not survive a fork'] = function () {
    $path = path();
    $db = Database::openOrCreate($path, POLICY);
    $child = pcntl_fork();
    if ($child === 0) {
        try {
            $db->submit('CHILD', at('2026-03-06 15:00'));
            exit(1);
        } catch (\Slaclock\ForkedHandleException) {
            $own = Database::open($path);
            $own->submit('CHILD', at('2026-03-06 15:00'));
            $own->close();
            exit(0);
        } catch (\Throwable) {
            exit(2);
        }
    }
    $db->submit('PARENT', at('2026-03-06 15:00'));
    pcntl_waitpid($child, $status);
    equal(pcntl_wexitstatus($status), 0, 'the child');
    equal($db->info()['requests'], 2, 'both wrote');
    equal($db->verify()['differing'], 0, 'and the file is whole');
};

foreach ($tests as $name => $test) {
    if (!str_contains($name, $argv[1] ?? '')) {
        continue;
    }
    $test();
    echo "ok  $name\n";
}
