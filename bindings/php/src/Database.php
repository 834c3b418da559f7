<?php

declare(strict_types=1);

namespace Slaclock;

use DateTimeInterface;
use FFI;

/**
 * Requests and their events in one file, with their deadlines kept ready.
 *
 * Any number of processes may use one file. The object is closed when it is destroyed; the library keeps the file
 * open a while, so that the next request of a php-fpm worker opens it in microseconds. A database opened before
 * `pcntl_fork()` answers ForkedHandle in the child, which opens its own.
 *
 * Any call may throw what became of the file: Closed, ForkedHandle, Busy, ReadOnly, Damaged, StorageFull, Io.
 */
final class Database
{
    private const FIRST_PAGE = -1;
    private const LAST_PAGE = -2;
    private const PAGE_ROWS = 256;

    private bool $isOpen = true;

    private function __construct(private readonly FFI\CData $handle) {}

    public function __destruct()
    {
        if ($this->isOpen) {
            // Nobody is left who could do something about an error.
            Library::ffi()->slaclock_close($this->handle, null);
        }
    }

    /**
     * Opens an existing database.
     *
     * @param int $busyTimeoutMs how long a call waits for other writers before it throws Busy
     * @param bool $share false opens a handle of its own instead of the one that this process has on the file
     * @throws SlaclockException NotFound, NotADatabase, NewerFormat
     */
    public static function open(
        string $path,
        bool $readOnly = false,
        int $busyTimeoutMs = 5000,
        bool $share = true,
    ): self {
        $options = self::options($readOnly, $busyTimeoutMs, $share);
        return new self(Library::handle('slaclock_db', 'open', $path, strlen($path), FFI::addr($options)));
    }

    /**
     * Makes a new database under a policy.
     *
     * @throws SlaclockException AlreadyExists if anything at all is at the path
     */
    public static function create(string $path, Policy $policy, int $busyTimeoutMs = 5000): self
    {
        $options = self::options(false, $busyTimeoutMs, true);
        return new self(Library::handle(
            'slaclock_db', 'create', $path, strlen($path), $policy->handle, FFI::addr($options),
        ));
    }

    /**
     * Opens a database; makes it first, under the policy of this file, if there is none. Safe for several processes
     * at once.
     */
    public static function openOrCreate(string $path, string $policyPath, int $busyTimeoutMs = 5000): self
    {
        try {
            return self::open($path, busyTimeoutMs: $busyTimeoutMs);
        } catch (NotFoundException) {
            try {
                return self::create($path, Policy::load($policyPath), $busyTimeoutMs);
            } catch (AlreadyExistsException) {
                // Another process was faster.
                return self::open($path, busyTimeoutMs: $busyTimeoutMs);
            }
        }
    }

    /** Makes a database in memory, for tests. */
    public static function inMemory(Policy $policy): self
    {
        return new self(Library::handle('slaclock_db', 'in_memory', $policy->handle));
    }

    /** Closes it; closing it again does nothing. Every other call then throws Closed. */
    public function close(): void
    {
        if ($this->isOpen) {
            Library::call('close', $this->handle);
            $this->isOpen = false;
        }
    }

    /**
     * Submits a request and starts its clocks. The same content again changes nothing.
     *
     * @param string $id the CRM's own key, 1 to 255 bytes
     * @param array<string, string> $attributes anything else that policies match on
     * @throws SlaclockException Conflict if the id was submitted with other content
     */
    public function submit(
        string $id,
        DateTimeInterface $receivedAt,
        ?string $customer = null,
        ?string $priority = null,
        ?string $category = null,
        ?string $channel = null,
        ?string $subject = null,
        array $attributes = [],
    ): Written {
        $json = Library::encode(Batch::request(
            $id, $receivedAt, $customer, $priority, $category, $channel, $subject, $attributes,
        ));
        return Written::of(Library::json('submit_json', $this->handle, $json, strlen($json)));
    }

    /**
     * Records an event on a request. With a key, the same event again changes nothing.
     *
     * @param string $event `acknowledged`, `replied`, `customer_replied`, `updated`, `assigned` ($to), `paused`
     *     ($reason), `resumed`, `vendor_contacted` and `vendor_replied` ($vendor), `promised` ($dueAt), `resolved`,
     *     `reopened`, `cancelled`, `changed` ($facts), `note`; with $by: `expedited` (beyond the quota $approvedBy),
     *     `expedite_withdrawn`, `refusal_proposed` ($text), `refusal_approved`, `refusal_withdrawn`, `waived` ($clock,
     *     $cycle, $text), `waiver_withdrawn` ($clock, $cycle); `faq_linked` and `faq_unlinked` ($faq, the entry's id)
     * @throws SlaclockException NotFound, InvalidEvent; Conflict if the key was used with other content
     */
    public function record(
        string $id,
        string $event,
        DateTimeInterface $at,
        ?string $by = null,
        ?string $key = null,
        ?string $text = null,
        ?string $reason = null,
        ?string $to = null,
        ?string $vendor = null,
        ?DateTimeInterface $dueAt = null,
        array $facts = [],
        ?string $approvedBy = null,
        ?string $clock = null,
        ?int $cycle = null,
        ?string $faq = null,
    ): Written {
        $carried = [$reason, $to, $vendor, $dueAt, $facts, $approvedBy, $clock, $cycle, $faq];
        $json = Library::encode(Batch::event($event, $at, $by, $key, $text, ...$carried));
        return Written::of(Library::json('record_json', $this->handle, $id, strlen($id), $json, strlen($json)));
    }

    /**
     * Writes all rows of a batch in one transaction.
     *
     * @param bool $skip true leaves wrong rows out; false writes nothing if one is wrong, and throws its error
     * @return (bool|SlaclockException)[] for each row true if it is new, false if it was there already, or why it was
     *     refused
     */
    public function apply(Batch $batch, bool $skip = false): array
    {
        $json = $batch->json();
        $ffi = Library::ffi();
        $mode = $skip ? $ffi->SLACLOCK_ON_ERROR_SKIP : $ffi->SLACLOCK_ON_ERROR_ABORT;
        $rows = Library::json('apply_json', $this->handle, $json, strlen($json), $mode);
        return array_map(function (array $row) {
            if (isset($row['outcome'])) {
                return $row['outcome'] === 'recorded';
            }
            $class = __NAMESPACE__ . "\\{$row['name']}Exception";
            return class_exists($class)
                ? new $class($row['message'], $row['status'])
                : new SlaclockException($row['message'], $row['status']);
        }, $rows);
    }

    /** @return array<string, ClockStatus> a request's clocks by name, right after its latest event or at `$at` */
    public function clocks(string $id, ?DateTimeInterface $at = null): array
    {
        return ClockStatus::all($this->get($id, $at)['clocks']);
    }

    /**
     * Everything known of a request as the library has it, instants as seconds: `request`, `facts`, `policy`,
     * `state`, `clocks`, `events`.
     */
    public function get(string $id, ?DateTimeInterface $at = null): array
    {
        $at = $at === null ? Library::NONE : Library::seconds($at);
        return Library::json('get_json', $this->handle, $id, strlen($id), $at);
    }

    /**
     * @return \Generator<int, Row> clocks past due whose limit has not passed, earliest due first; read page by page
     */
    public function late(?DateTimeInterface $now = null): \Generator
    {
        return $this->rows('late', Library::now($now));
    }

    /** @return \Generator<int, Row> clocks whose promise is broken */
    public function breached(?DateTimeInterface $now = null): \Generator
    {
        return $this->rows('breached', Library::now($now));
    }

    /** @return \Generator<int, Row> clocks past a warning threshold, not past due */
    public function atRisk(?DateTimeInterface $now = null): \Generator
    {
        return $this->rows('at_risk', Library::now($now));
    }

    /** @return \Generator<int, Row> running clocks due before an instant, judged at it */
    public function dueBefore(DateTimeInterface $until): \Generator
    {
        return $this->rows('due_before', Library::seconds($until));
    }

    /** @return \Generator<int, Row> clocks that passed due from `$last` on and before `$now`, and still run */
    public function newlyLate(DateTimeInterface $last, ?DateTimeInterface $now = null): \Generator
    {
        return $this->rows('newly_late', Library::seconds($last), Library::now($now));
    }

    /** The running clock that is due first at or after `$now`, if any. */
    public function nextDue(?DateTimeInterface $now = null): ?Row
    {
        $row = Library::ffi()->new('slaclock_row');
        $found = Library::ffi()->new('int32_t');
        Library::call('next_due', $this->handle, Library::now($now), FFI::addr($row), FFI::addr($found));
        return $found->cdata === 1 ? Row::of($row) : null;
    }

    /** @return array<string, int> all clocks by stage */
    public function counts(?DateTimeInterface $now = null): array
    {
        $counts = Library::ffi()->new('slaclock_stage_counts');
        Library::call('counts', $this->handle, Library::now($now), FFI::addr($counts));
        $stages = ['on_track', 'at_risk', 'late', 'breached', 'paused', 'idle', 'met', 'missed', 'cancelled'];
        return array_combine($stages, array_map(fn ($stage) => $counts->$stage, $stages));
    }

    /** Turns every threshold passed since the last advance into a notice; how many there were. */
    public function advance(?DateTimeInterface $now = null): int
    {
        $count = Library::ffi()->new('int64_t');
        Library::call('advance', $this->handle, Library::now($now), FFI::addr($count));
        return $count->cdata;
    }

    /** @return Notice[] those that a consumer has not acknowledged, by number */
    public function pending(string $consumer, int $limit = 1000): array
    {
        $documents = Library::json('pending_json', $this->handle, $consumer, strlen($consumer), $limit);
        return array_map(Notice::of(...), $documents);
    }

    /** Acknowledges all notices up to a number, durably. */
    public function acknowledge(string $consumer, int $number): void
    {
        Library::call('acknowledge', $this->handle, $consumer, strlen($consumer), $number);
    }

    /**
     * Advances to `$now` and hands out what is pending, one notice at a time. A notice is acknowledged when the next
     * one is asked for: what was on its way when the program ended or left the loop is handed out again next time,
     * under the same number.
     *
     * @return \Generator<int, Notice>
     */
    public function feed(string $consumer, ?DateTimeInterface $now = null): \Generator
    {
        $this->advance($now);
        while (($notices = $this->pending($consumer)) !== []) {
            foreach ($notices as $notice) {
                yield $notice->number => $notice;
                $this->acknowledge($consumer, $notice->number);
            }
        }
    }

    /**
     * Attainment against the promised share: a list of `by`, `attainment` (`period`, `clock`, `tally`, `goal`,
     * `period_over`), `share_bp` (hundredths of a percent), `adjusted_share_bp`, `budget_left`, `verdict` (`kept`,
     * `open`, `broken` or null), `text`.
     *
     * @param ?string $period `2026-03`, `2026-Q1`, `2026`, `2026-03-01..2026-03-15`; null for all
     * @param string $per `whole`, `month`, `quarter`, `year`
     * @param string[] $by facts to count apart by, like `['priority']`
     */
    public function attainment(
        ?string $period = null,
        string $per = 'whole',
        ?string $clock = null,
        array $by = [],
        ?DateTimeInterface $now = null,
    ): array {
        $ffi = Library::ffi();
        $query = $ffi->new('slaclock_attainment_query');
        Library::call('attainment_query_init', FFI::addr($query), FFI::sizeof($query));
        $query->now = Library::now($now);
        $query->per = match ($per) {
            'whole' => $ffi->SLACLOCK_PER_WHOLE,
            'month' => $ffi->SLACLOCK_PER_MONTH,
            'quarter' => $ffi->SLACLOCK_PER_QUARTER,
            'year' => $ffi->SLACLOCK_PER_YEAR,
            default => throw new InvalidArgumentException(
                "`per` is `$per`: must be whole, month, quarter or year",
                $ffi->SLACLOCK_STATUS_INVALID_ARGUMENT,
            ),
        };
        $names = $by === [] ? null : Library::encode(array_values($by));
        // Kept in variables until the call is over: the struct only points at them.
        $texts = ['period' => Library::bytes($period), 'clock' => Library::bytes($clock), 'by' => Library::bytes($names)];
        foreach ($texts as $field => $bytes) {
            if ($bytes !== null) {
                $query->$field = FFI::addr($bytes[0]);
            }
        }
        return Library::json('attainment_json', $this->handle, FFI::addr($query));
    }

    /**
     * Time on hold by reason: a list of `reason`, `requests`, `holds`, and in seconds `elapsed`, `working`, `median`.
     */
    public function waiting(?string $period = null, ?DateTimeInterface $now = null): array
    {
        return Library::json('waiting_json', $this->handle, $period, strlen($period ?? ''), Library::now($now));
    }

    /** Why a clock stands where it stands, in sentences. */
    public function explain(string $id, string $clock, ?DateTimeInterface $now = null): string
    {
        $text = Library::ffi()->new('slaclock_text *');
        Library::call(
            'explain', $this->handle, $id, strlen($id), $clock, strlen($clock), Library::now($now), FFI::addr($text), null,
        );
        return Library::take($text);
    }

    /** The newest installed policy. */
    public function policy(): Policy
    {
        return new Policy(Library::handle('slaclock_policy', 'db_policy', $this->handle));
    }

    /** Installs a new version of the policy for requests received from `$from` on. */
    public function install(Policy $policy, DateTimeInterface $from): void
    {
        Library::call('install', $this->handle, $policy->handle, Library::seconds($from));
    }

    /**
     * Facts about the database: `slaclock`, `tzdb`, `format`, `requests`, `events`, `clocks`, `notices`,
     * `file_bytes`, ...
     */
    public function info(): array
    {
        return Library::json('info_json', $this->handle);
    }

    /**
     * Derives everything anew from the events and compares it with what is stored; `differing` is 0 if all is well.
     */
    public function verify(): array
    {
        return Library::json('verify', $this->handle, null);
    }

    private static function options(bool $readOnly, int $busyTimeoutMs, bool $share): FFI\CData
    {
        $options = Library::ffi()->new('slaclock_options');
        Library::call('options_init', FFI::addr($options), FFI::sizeof($options));
        $options->read_only = (int) $readOnly;
        $options->busy_timeout_ms = $busyTimeoutMs;
        $options->share = (int) $share;
        return $options;
    }

    /** @return \Generator<int, Row> */
    private function rows(string $scan, int ...$instants): \Generator
    {
        $ffi = Library::ffi();
        $page = $ffi->new('slaclock_row[' . self::PAGE_ROWS . ']');
        $filled = $ffi->new('size_t');
        $next = $ffi->new('int64_t');
        $after = self::FIRST_PAGE;
        while ($after !== self::LAST_PAGE) {
            $arguments = [...$instants, $after, $page, self::PAGE_ROWS, FFI::addr($filled), FFI::addr($next)];
            Library::call($scan, $this->handle, ...$arguments);
            for ($i = 0; $i < $filled->cdata; $i++) {
                yield Row::of($page[$i]);
            }
            $after = $next->cdata;
        }
    }
}
