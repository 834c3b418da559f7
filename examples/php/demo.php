<?php

/**
 * Two days of a service desk: cases come in, are worked on and saved, and the scheduler runs. The hook and the job
 * are the ones to install in SuiteCRM; of SuiteCRM itself only the part that calls them stands here.
 *
 *     php -d ffi.enable=1 demo.php
 */

declare(strict_types=1);

require __DIR__ . '/../../bindings/php/slaclock.php';
require __DIR__ . '/CasePromises.php';
require __DIR__ . '/Escalations.php';

date_default_timezone_set('Europe/Moscow');

/** A record of the Cases module, saved as SuiteCRM does: dates in UTC, the hook before the row is written. */
final class CaseRecord
{
    public array|false $fetched_row = false;
    public string $account_id = 'acme';
    public string $assigned_user_id = '';
    public string $date_entered = '';
    public string $date_modified = '';
    public string $modified_user_id = 'ann';
    public string $priority = 'P2';
    public string $promise_stage_c = '';
    public string $promised_at_c = '';
    public string $status = 'Open_New';
    public string $type = 'User';

    public function __construct(public readonly string $id, public readonly string $name) {}

    public function save(string $localTime): void
    {
        $utc = (new DateTimeImmutable($localTime))->setTimezone(new DateTimeZone('UTC'))->format('Y-m-d H:i:s');
        $this->date_entered = $this->date_entered ?: $utc;
        $this->date_modified = $utc;
        // Twice, since SuiteCRM does so where a workflow saves the record again.
        (new CasePromises())->beforeSave($this, 'before_save', []);
        (new CasePromises())->beforeSave($this, 'before_save', []);
        $this->fetched_row = get_object_vars($this);
        $due = $this->promised_at_c === '' ? '-' : self::local($this->promised_at_c);
        printf("%-16s %-8s %-20s due %-20s %s\n", self::local($utc), $this->id, $this->status, $due, $this->promise_stage_c);
    }

    private static function local(string $utc): string
    {
        $zone = new DateTimeZone(date_default_timezone_get());
        return (new DateTimeImmutable($utc, new DateTimeZone('UTC')))->setTimezone($zone)->format('D Y-m-d H:i');
    }
}

function schedule(string $localTime): void
{
    echo "\nscheduler, $localTime\n";
    $tell = function (string $audience, string $message): void {
        printf("  to the %s: %s\n", $audience, $message);
    };
    $told = (new Escalations(CasePromises::database(), $tell))->run(new DateTimeImmutable($localTime));
    echo "  $told told\n";
}

$folder = sys_get_temp_dir() . '/slaclock-suitecrm-' . getmypid();
mkdir($folder);
$sugar_config['slaclock'] = [
    'database' => "$folder/care.slaclock",
    'policy' => __DIR__ . '/../policies/promise.toml',
];

$invoice = new CaseRecord('CASE-17', 'Wrong invoice');
$printer = new CaseRecord('CASE-18', 'Printer is silent');
$invoice->save('2026-03-06 10:00');
$invoice->status = 'Open_Assigned';
$invoice->assigned_user_id = 'bob';
$invoice->save('2026-03-06 11:00');
$invoice->status = 'Open_Pending Input';
$invoice->save('2026-03-06 12:00');
$printer->save('2026-03-06 15:00');
schedule('2026-03-06 18:30');

$invoice->status = 'Open_Assigned';
$invoice->save('2026-03-09 10:00');
schedule('2026-03-09 12:00');
schedule('2026-03-09 12:00');

$invoice->status = 'Closed_Closed';
$invoice->save('2026-03-09 15:30');
$printer->status = 'Closed_Closed';
$printer->save('2026-03-09 17:00');
schedule('2026-03-09 18:30');

$db = CasePromises::database();
foreach ($db->attainment('2026-03', now: new DateTimeImmutable('2026-04-01 09:00')) as $group) {
    echo $group['text'], "\n";
}
$db->close();
array_map(unlink(...), glob("$folder/*"));
rmdir($folder);
