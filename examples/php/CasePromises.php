<?php

declare(strict_types=1);

use Slaclock\Database;
use Slaclock\Written;

/**
 * A logic hook for the Cases module of SuiteCRM: a case that is created gets its due date, and what happens to it
 * moves that date.
 *
 * Registered as a `before_save` hook, so that the due date is saved with the case. The hook may run twice for one
 * save: the ids of requests and the keys of events make sure that everything is recorded once. If a promise cannot be
 * recorded, the exception reaches the user and the case is not saved; saving it again is right.
 */
final class CasePromises
{
    /** The clock whose due date the case shows. */
    private const CLOCK = 'resolution';

    /** What a status of the Cases module means to the clocks: the event, and the reason of a pause. */
    private const EVENTS = [
        'Open_Pending Input' => ['paused', 'waiting_customer'],
        'Closed_Closed' => ['resolved', null],
        'Closed_Rejected' => ['cancelled', null],
        'Closed_Duplicate' => ['cancelled', null],
    ];

    /** SuiteCRM calls this with the record being saved. */
    public function beforeSave(object $case, string $event, array $arguments): void
    {
        $db = self::database();
        $written = empty($case->fetched_row) ? self::submit($db, $case) : self::recordChanges($db, $case);
        if ($written !== null) {
            $clock = $written->clocks[self::CLOCK];
            $case->promised_at_c = $clock->dueAt?->setTimezone(new DateTimeZone('UTC'))->format('Y-m-d H:i:s') ?? '';
            $case->promise_stage_c = $clock->stage;
        }
    }

    /** The database and the policy named in config_override.php; the database is made by the first case. */
    public static function database(): Database
    {
        $config = $GLOBALS['sugar_config']['slaclock'];
        return Database::openOrCreate($config['database'], $config['policy']);
    }

    private static function submit(Database $db, object $case): Written
    {
        return $db->submit(
            $case->id,
            self::utc($case->date_entered),
            customer: $case->account_id,
            priority: $case->priority,
            category: $case->type ?: null,
            subject: $case->name,
        );
    }

    /** Null if nothing changed that matters to a clock. */
    private static function recordChanges(Database $db, object $case): ?Written
    {
        $at = self::utc($case->date_modified);
        $old = $case->fetched_row;
        $by = $case->modified_user_id;
        $written = null;
        if ($old['priority'] !== $case->priority) {
            $key = "priority $case->priority $case->date_modified";
            $written = $db->record($case->id, 'changed', $at, by: $by, key: $key, facts: ['priority' => $case->priority]);
        }
        if ($old['assigned_user_id'] !== $case->assigned_user_id) {
            $key = "assigned $case->assigned_user_id $case->date_modified";
            $written = $db->record($case->id, 'assigned', $at, by: $by, key: $key, to: $case->assigned_user_id);
        }
        if ($old['status'] !== $case->status) {
            [$event, $reason] = self::EVENTS[$case->status] ?? [self::opened($old['status']), null];
            if ($event !== null) {
                $key = "status $case->status $case->date_modified";
                $written = $db->record($case->id, $event, $at, by: $by, key: $key, reason: $reason);
            }
        }
        return $written;
    }

    /** What it means that a case with this status is open again; null if it was open all the time. */
    private static function opened(string $oldStatus): ?string
    {
        return match (true) {
            str_starts_with($oldStatus, 'Closed_') => 'reopened',
            $oldStatus === 'Open_Pending Input' => 'resumed',
            default => null,
        };
    }

    /** SuiteCRM keeps dates in UTC. */
    private static function utc(string $date): DateTimeImmutable
    {
        return new DateTimeImmutable($date, new DateTimeZone('UTC'));
    }
}
