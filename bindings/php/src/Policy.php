<?php

declare(strict_types=1);

namespace Slaclock;

use DateTimeImmutable;
use DateTimeInterface;
use DateTimeZone;
use FFI;

/** The written agreement. Answers when something would be due with no database at all. */
final class Policy
{
    /** Takes over a handle of the library; programs use `load` and `fromText`. */
    public function __construct(public readonly FFI\CData $handle) {}

    public function __destruct()
    {
        Library::ffi()->slaclock_policy_free($this->handle);
    }

    /**
     * Reads and checks a policy file: JSON if its name ends in `.json`, else TOML. Its worked examples are run.
     *
     * @throws SlaclockException NotFound, Io; InvalidPolicy, InvalidCalendar, UnknownZone with line and column
     */
    public static function load(string $path): self
    {
        return new self(Library::handle('slaclock_policy', 'policy_load', $path, strlen($path)));
    }

    /** The same from text: JSON if it begins with a brace, else TOML. */
    public static function fromText(string $text): self
    {
        return new self(Library::handle('slaclock_policy', 'policy_from_text', $text, strlen($text)));
    }

    /** What the policy says of itself: `name`, `version`, `statement`, `calendars`, `clocks`, ... */
    public function describe(): array
    {
        return Library::json('policy_json', $this->handle);
    }

    /** The text it was read from. */
    public function source(): string
    {
        return Library::text('policy_source', $this->handle);
    }

    /** What the policy is silent on, on a date: a list of `code`, `severity`, `message`, `position`. */
    public function lint(DateTimeInterface $on): array
    {
        return Library::json('policy_lint', $this->handle, Library::day($on), null);
    }

    /**
     * When a request with these facts, received at this instant, is due.
     *
     * @param array<string, string> $facts like `['priority' => 'high']`
     * @throws SlaclockException NotFound, OutOfRange, NoDeadline
     */
    public function due(string $clock, DateTimeInterface $received, array $facts = []): DateTimeImmutable
    {
        return Library::instant($this->instantOf('policy_due', $clock, $received, $facts));
    }

    /** When it breaches; null if the clock has no backstop. Throws as `due` does. */
    public function limit(string $clock, DateTimeInterface $received, array $facts = []): ?DateTimeImmutable
    {
        return Library::maybeInstant($this->instantOf('policy_limit', $clock, $received, $facts));
    }

    /**
     * The same as `due` for many receipts at once.
     *
     * @param DateTimeInterface[] $received
     * @return (DateTimeImmutable|null)[] under the same keys; null where there is no deadline
     */
    public function dueMany(string $clock, array $received, array $facts = []): array
    {
        if ($received === []) {
            return [];
        }
        $count = count($received);
        $in = Library::ffi()->new("int64_t[$count]");
        $out = Library::ffi()->new("int64_t[$count]");
        foreach (array_values($received) as $i => $instant) {
            $in[$i] = Library::seconds($instant);
        }
        $this->withFacts($facts, fn ($facts) => Library::call(
            'policy_due_many', $this->handle, $clock, strlen($clock), $facts, $in, $count, $out,
        ));
        $due = [];
        foreach (array_keys($received) as $i => $key) {
            $due[$key] = Library::maybeInstant($out[$i]);
        }
        return $due;
    }

    /** The zone of the calendar that counts for such a request. */
    public function zone(string $clock, array $facts = []): DateTimeZone
    {
        $rule = $this->withFacts($facts, fn ($facts) => Library::handle(
            'slaclock_rule', 'policy_rule', $this->handle, $clock, strlen($clock), $facts,
        ));
        try {
            $calendar = Library::handle('slaclock_calendar', 'rule_calendar', $rule);
            try {
                return new DateTimeZone(Library::text('calendar_zone', $calendar));
            } finally {
                Library::ffi()->slaclock_calendar_free($calendar);
            }
        } finally {
            Library::ffi()->slaclock_rule_free($rule);
        }
    }

    /** The proof of a deadline, step by step, in sentences. */
    public function explain(string $clock, DateTimeInterface $received, array $facts = []): string
    {
        $text = Library::ffi()->new('slaclock_text *');
        $this->withFacts($facts, fn ($facts) => Library::call(
            'policy_explain', $this->handle, $clock, strlen($clock), Library::seconds($received), $facts, FFI::addr($text), null,
        ));
        return Library::take($text);
    }

    private function instantOf(string $function, string $clock, DateTimeInterface $received, array $facts): int
    {
        $out = Library::ffi()->new('int64_t');
        $this->withFacts($facts, fn ($facts) => Library::call(
            $function, $this->handle, $clock, strlen($clock), Library::seconds($received), $facts, FFI::addr($out),
        ));
        return $out->cdata;
    }

    private function withFacts(array $facts, callable $use): mixed
    {
        $handle = Library::facts($facts);
        try {
            return $use($handle);
        } finally {
            Library::ffi()->slaclock_facts_free($handle);
        }
    }
}
