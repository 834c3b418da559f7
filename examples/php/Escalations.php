<?php

declare(strict_types=1);

use Slaclock\Database;
use Slaclock\Notice;

/**
 * A scheduled job: tells the right people what became urgent since the last run, each thing once.
 *
 * How often it runs, and whether a run is missed, changes only how soon people hear: no crossing is lost and none is
 * told twice. If telling fails, the job stops there, and the next run begins with the same notice.
 */
final class Escalations
{
    /** Who hears of what is not for the manager. */
    private const AUDIENCE = ['warning' => 'owner', 'late' => 'team lead', 'budget_exhausted' => 'team lead'];

    /** @param Closure(string $audience, string $message): void $tell sends a mail, say */
    public function __construct(private readonly Database $db, private readonly Closure $tell) {}

    /** Returns how many notices were told. `$now` is for tests; left out, it is the time of the call. */
    public function run(?DateTimeInterface $now = null): int
    {
        $told = 0;
        foreach ($this->db->feed('escalations', $now) as $notice) {
            if ($notice->threshold === 'warning' && $this->isFinished($notice)) {
                continue;
            }
            ($this->tell)(self::AUDIENCE[$notice->threshold] ?? 'manager', self::message($notice));
            $told++;
        }
        return $told;
    }

    /** A warning is of no use once the work is done. */
    private function isFinished(Notice $notice): bool
    {
        return $this->db->clocks($notice->request)[$notice->clock]->finishedAt !== null;
    }

    private static function message(Notice $notice): string
    {
        $what = match ($notice->threshold) {
            'warning' => "$notice->percent % of the time is used",
            'late' => 'is late',
            'breached' => 'broke the promise',
            'waived' => 'has its miss excused',
            'budget_exhausted' => 'no misses left',
            'period_breached' => 'the promised share is missed',
            'review', 'reading' => 'the agreement is to be read',
            default => $notice->threshold,
        };
        $since = $notice->at->format('D Y-m-d H:i');
        $prefix = $notice->retracted ? 'not true any more: ' : '';
        $about = implode(', ', array_filter([$notice->request, $notice->clock, $notice->period]));
        return "$prefix$about: $what since $since";
    }
}
