<?php

declare(strict_types=1);

namespace Slaclock;

use DateTimeInterface;

/** Requests and events to be written together, in one transaction. */
final class Batch implements \Countable
{
    private array $rows = [];

    /** Adds a request; arguments as for `Database::submit`. */
    public function submit(
        string $id,
        DateTimeInterface $receivedAt,
        ?string $customer = null,
        ?string $priority = null,
        ?string $category = null,
        ?string $channel = null,
        ?string $subject = null,
        array $attributes = [],
    ): self {
        $this->rows[] = ['submit' => self::request(
            $id, $receivedAt, $customer, $priority, $category, $channel, $subject, $attributes,
        )];
        return $this;
    }

    /** Adds an event; arguments as for `Database::record`. */
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
    ): self {
        $carried = [$reason, $to, $vendor, $dueAt, $facts, $approvedBy, $clock, $cycle, $faq];
        $record = self::event($event, $at, $by, $key, $text, ...$carried);
        $this->rows[] = ['request' => $id, 'record' => $record];
        return $this;
    }

    public function count(): int
    {
        return count($this->rows);
    }

    /** The rows as the library reads them. */
    public function json(): string
    {
        return Library::encode($this->rows);
    }

    /** A request as the library reads it. */
    public static function request(
        string $id,
        DateTimeInterface $receivedAt,
        ?string $customer,
        ?string $priority,
        ?string $category,
        ?string $channel,
        ?string $subject,
        array $attributes,
    ): array {
        return array_filter([
            'id' => $id,
            'received_at' => Library::seconds($receivedAt),
            'customer' => $customer,
            'priority' => $priority,
            'category' => $category,
            'channel' => $channel,
            'subject' => $subject,
            'attributes' => $attributes === [] ? null : (object) $attributes,
        ], fn ($value) => $value !== null);
    }

    /** An event as the library reads it. */
    public static function event(
        string $event,
        DateTimeInterface $at,
        ?string $by,
        ?string $key,
        ?string $text,
        ?string $reason,
        ?string $to,
        ?string $vendor,
        ?DateTimeInterface $dueAt,
        array $facts,
        ?string $approvedBy,
        ?string $clock,
        ?int $cycle,
        ?string $faq,
    ): array {
        return array_filter([
            'event' => $event,
            'at' => Library::seconds($at),
            'by' => $by,
            'key' => $key,
            'text' => $text,
            'reason' => $reason,
            'to' => $to,
            'vendor' => $vendor,
            'due' => $dueAt === null ? null : Library::seconds($dueAt),
            'facts' => $facts === [] ? null : (object) $facts,
            'approved_by' => $approvedBy,
            'clock' => $clock,
            'cycle' => $cycle,
            'faq' => $faq,
        ], fn ($value) => $value !== null);
    }
}
