import com.sun.jna.IntegerType;
import com.sun.jna.Library;
import com.sun.jna.Memory;
import com.sun.jna.Native;
import com.sun.jna.Pointer;
import com.sun.jna.Structure;
import com.sun.jna.Structure.FieldOrder;
import com.sun.jna.ptr.IntByReference;
import com.sun.jna.ptr.LongByReference;
import com.sun.jna.ptr.PointerByReference;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Instant;
import java.time.ZoneId;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.BiFunction;

/**
 * slaclock for Java 17 and later, over JNA: policies, and databases of promises to customers.
 *
 * <p>Instants are floored to whole seconds. Every call may throw a {@link SlaclockException}. Objects may be used by
 * any number of threads. What is closed is closed once; calls on it fail with the status Closed and do no harm.
 *
 * <p>The library is the path in the environment variable SLACLOCK_LIBRARY, or `slaclock` in the places where JNA
 * looks (`jna.library.path`, the system's).
 */
public final class Slaclock {
    private Slaclock() {}

    private static final long NONE = Long.MIN_VALUE;
    private static final int MESSAGE_SIZE = 240;
    private static final int NAME_SIZE = 256;
    private static final int PAGE_ROWS = 256;
    private static final long FIRST_PAGE = -1;
    private static final long LAST_PAGE = -2;
    private static final int ABI_VERSION = 0;

    /** What a call came to, if it failed. */
    public static final class SlaclockException extends RuntimeException {
        private static final long serialVersionUID = 1;

        /** The number of the status, the same in every language. */
        public final int status;

        /** Its name, like `NotFound`. */
        public final String name;

        SlaclockException(int status, String name, String message) {
            super(message);
            this.status = status;
            this.name = name;
        }
    }

    /** Where a clock stands. The order is that of the library's numbers. */
    public enum Stage { IDLE, ON_TRACK, AT_RISK, LATE, BREACHED, PAUSED, MET, MISSED, CANCELLED, UNKNOWN }

    /** What happened to a request, with the library's numbers. */
    public enum EventKind {
        RECEIVED(0), ACKNOWLEDGED(1), REPLIED(2), CUSTOMER_REPLIED(3), UPDATED(4), ASSIGNED(5), PAUSED(6), RESUMED(7), VENDOR_CONTACTED(8),
        VENDOR_REPLIED(9), PROMISED(10), RESOLVED(11), REOPENED(12), CANCELLED(13), CHANGED(14), NOTE(15), EXPEDITED(16), EXPEDITE_WITHDRAWN(17),
        REFUSAL_PROPOSED(18), REFUSAL_APPROVED(19), REFUSAL_WITHDRAWN(20), WAIVED(21), WAIVER_WITHDRAWN(22), MIGRATED(24), FAQ_LINKED(28),
        FAQ_UNLINKED(29);

        final int number;

        EventKind(int number) {
            this.number = number;
        }
    }

    /** What became of something written. The order is that of the library's numbers. */
    public enum Outcome { REFUSED, RECORDED, ALREADY_RECORDED }

    /** What a customer asked; null where a fact is not known. */
    public record Request(String id, Instant receivedAt, String customer, String priority, String subject) {}

    /** Something that happened; null where the kind carries nothing or it is not known. A waiver carries `clock` and `cycle`, a link to the FAQ `faq`. */
    public record Event(
        EventKind kind, Instant at, String by, String key, String reason, String to, String vendor, Instant dueAt, String text, String approvedBy,
        String clock, Long cycle, String faq) {
        /** An event that is no expedite, refusal or waiver, and no link to the FAQ. */
        public Event(EventKind kind, Instant at, String by, String key, String reason, String to, String vendor, Instant dueAt) {
            this(kind, at, by, key, reason, to, vendor, dueAt, null, null, null, null, null);
        }

        /** The same with its reason or other free text. */
        public Event withText(String text) {
            return new Event(kind, at, by, key, reason, to, vendor, dueAt, text, approvedBy, clock, cycle, faq);
        }

        /** An expedite beyond the quota, allowed by a second person. */
        public Event approvedBy(String who) {
            return new Event(kind, at, by, key, reason, to, vendor, dueAt, text, who, clock, cycle, faq);
        }

        /** A waiver, or its withdrawal, of a clock's cycle, counted from 1. */
        public Event ofCycle(String clock, long cycle) {
            return new Event(kind, at, by, key, reason, to, vendor, dueAt, text, approvedBy, clock, cycle, faq);
        }

        /** A link, or its end, to an entry of the FAQ. */
        public Event ofFaq(String faq) {
            return new Event(kind, at, by, key, reason, to, vendor, dueAt, text, approvedBy, clock, cycle, faq);
        }

        /** An event that carries nothing of its own, with the key under which it is recorded once. */
        public static Event of(EventKind kind, Instant at, String by, String key) {
            return new Event(kind, at, by, key, null, null, null, null);
        }
    }

    /** A running clock in the answer to a scan; `limitAt` is null without backstop. */
    public record Row(String request, String clock, Stage stage, long cycle, Instant startedAt, Instant dueAt, Instant limitAt) {}

    /**
     * What a clock's promise came to in a period; shares are in hundredths of a percent, null where there is none.
     */
    public record Attainment(String clock, long met, long missed, long undecided, Long shareBp, Long goalBp, Long budgetLeft) {}

    /** Attainment by period. */
    public enum Per { WHOLE, MONTH, QUARTER, YEAR }

    /** The library's version. */
    public static String version() {
        return C.slaclock_version();
    }

    /** The written agreement. */
    public static final class Policy implements AutoCloseable {
        private final Pointer handle;

        private Policy(Pointer handle) {
            this.handle = handle;
        }

        /** Reads and checks a policy file and runs its worked examples. */
        public static Policy load(Path path) {
            byte[] bytes = utf8(path.toString());
            return new Policy(handle((out, error) -> C.slaclock_policy_load(bytes, new SizeT(bytes.length), out, error)));
        }

        /** When a request without further facts, received at this instant, is due. */
        public Instant due(String clock, Instant receivedAt) {
            byte[] name = utf8(clock);
            LongByReference due = new LongByReference();
            call(error -> C.slaclock_policy_due(
                handle, name, new SizeT(name.length), receivedAt.getEpochSecond(), null, due, error));
            return Instant.ofEpochSecond(due.getValue());
        }

        /** The zone of a clock's calendar. */
        public ZoneId zone(String clock) {
            byte[] name = utf8(clock);
            Pointer rule = handle((out, error) -> C.slaclock_policy_rule(handle, name, new SizeT(name.length), null, out, error));
            try {
                Pointer calendar = handle((out, error) -> C.slaclock_rule_calendar(rule, out, error));
                try {
                    return ZoneId.of(text((out, error) -> C.slaclock_calendar_zone(calendar, out, error)));
                } finally {
                    C.slaclock_calendar_free(calendar);
                }
            } finally {
                C.slaclock_rule_free(rule);
            }
        }

        @Override
        public void close() {
            C.slaclock_policy_free(handle);
        }
    }

    /** Requests and events to be written together. */
    public static final class Batch implements AutoCloseable {
        private final Pointer handle = handle(C::slaclock_batch_new);

        /** Adds a request. */
        public void submit(Request request) {
            var texts = new Texts();
            var struct = new RequestStruct(request, texts);
            call(error -> C.slaclock_batch_submit(handle, struct, error));
            texts.keep();
        }

        /** Adds an event on a request of the database or of a row before. */
        public void record(String id, Event event) {
            var texts = new Texts();
            var struct = new EventStruct(event, texts);
            byte[] bytes = utf8(id);
            call(error -> C.slaclock_batch_record(handle, bytes, new SizeT(bytes.length), struct, error));
            texts.keep();
        }

        @Override
        public void close() {
            C.slaclock_batch_free(handle);
        }
    }

    /** Requests and their events in one file. Any number of processes and threads may use it. */
    public static final class Db implements AutoCloseable {
        private final Pointer handle;
        private boolean isOpen = true;

        private Db(Pointer handle) {
            this.handle = handle;
        }

        /** Opens an existing database. */
        public static Db open(Path path) {
            byte[] bytes = utf8(path.toString());
            return new Db(handle((out, error) -> C.slaclock_open(bytes, new SizeT(bytes.length), null, out, error)));
        }

        /** Makes a new database under a policy. */
        public static Db create(Path path, Policy policy) {
            byte[] bytes = utf8(path.toString());
            return new Db(handle(
                (out, error) -> C.slaclock_create(bytes, new SizeT(bytes.length), policy.handle, null, out, error)));
        }

        /** Makes a database in memory, for tests. */
        public static Db inMemory(Policy policy) {
            return new Db(handle((out, error) -> C.slaclock_in_memory(policy.handle, out, error)));
        }

        /** Submits a request and starts its clocks. The same content again changes nothing. */
        public Outcome submit(Request request) {
            var texts = new Texts();
            var struct = new RequestStruct(request, texts);
            IntByReference outcome = new IntByReference();
            call(error -> C.slaclock_submit(handle, struct, outcome, error));
            texts.keep();
            return Outcome.values()[outcome.getValue()];
        }

        /** Records an event on a request. With a key, the same event again changes nothing. */
        public Outcome record(String id, Event event) {
            var texts = new Texts();
            var struct = new EventStruct(event, texts);
            byte[] bytes = utf8(id);
            IntByReference outcome = new IntByReference();
            call(error -> C.slaclock_record(handle, bytes, new SizeT(bytes.length), struct, outcome, error));
            texts.keep();
            return Outcome.values()[outcome.getValue()];
        }

        /**
         * Writes all rows of a batch in one transaction, or none of them if one is wrong. One outcome for each row,
         * in order.
         */
        public List<Outcome> apply(Batch batch) {
            int rows = C.slaclock_batch_len(batch.handle).intValue();
            // JNA has no array of no entries.
            int[] outcomes = new int[Math.max(rows, 1)];
            int abort = 0;
            call(error -> C.slaclock_apply(handle, batch.handle, abort, outcomes, null, new SizeT(rows), null, error));
            List<Outcome> list = new ArrayList<>();
            for (int i = 0; i < rows; i++) {
                list.add(Outcome.values()[outcomes[i]]);
            }
            return list;
        }

        /** Clocks whose promise is broken, earliest due first. */
        public List<Row> breached(Instant now) {
            return rows((after, page) -> error -> C.slaclock_breached(
                handle, now.getEpochSecond(), after, page.rows, page.capacity, page.filled, page.next, error));
        }

        /** Clocks past due whose limit has not passed, earliest due first. */
        public List<Row> late(Instant now) {
            return rows((after, page) -> error -> C.slaclock_late(
                handle, now.getEpochSecond(), after, page.rows, page.capacity, page.filled, page.next, error));
        }

        /** Clocks past a warning threshold but not past due, earliest due first. */
        public List<Row> atRisk(Instant now) {
            return rows((after, page) -> error -> C.slaclock_at_risk(
                handle, now.getEpochSecond(), after, page.rows, page.capacity, page.filled, page.next, error));
        }

        /** Running clocks due before an instant, earliest due first. */
        public List<Row> dueBefore(Instant until) {
            return rows((after, page) -> error -> C.slaclock_due_before(
                handle, until.getEpochSecond(), after, page.rows, page.capacity, page.filled, page.next, error));
        }

        /** Attainment by clock, then period, of what was received in a period like `2026-03`; null for all. */
        public List<Attainment> attainment(String period, Per per, Instant now) {
            var texts = new Texts();
            var query = new AttainmentQuery(period, per, now, texts);
            var found = new SizeTByReference();
            call(error -> C.slaclock_attainment(handle, query, null, new SizeT(0), found, error));
            int capacity = Math.max((int) found.getValue(), 1);
            var first = new AttainmentRow();
            var rows = (AttainmentRow[]) first.toArray(capacity);
            call(error -> C.slaclock_attainment(handle, query, first, new SizeT(capacity), found, error));
            texts.keep();
            List<Attainment> list = new ArrayList<>();
            for (int i = 0; i < Math.min(found.getValue(), capacity); i++) {
                rows[i].read();
                list.add(rows[i].toAttainment());
            }
            return list;
        }

        /** Why a clock stands where it stands, in sentences. */
        public String explain(String id, String clock, Instant now) {
            byte[] request = utf8(id);
            byte[] name = utf8(clock);
            return text((out, error) -> C.slaclock_explain(
                handle, request, new SizeT(request.length), name, new SizeT(name.length), now.getEpochSecond(), out, null, error));
        }

        /** Closes it; closing it again does nothing. */
        @Override
        public synchronized void close() {
            if (isOpen) {
                call(error -> C.slaclock_close(handle, error));
                isOpen = false;
            }
        }

        private static List<Row> rows(BiFunction<Long, Page, Call> scan) {
            var page = new Page();
            List<Row> rows = new ArrayList<>();
            for (long after = FIRST_PAGE; after != LAST_PAGE; after = page.next.getValue()) {
                call(scan.apply(after, page));
                page.addTo(rows);
            }
            return rows;
        }
    }

    // What follows is how the C interface looks to JNA; include/slaclock.h is its manual.

    /** The functions used here. */
    private interface Functions extends Library {
        int slaclock_abi_version();
        String slaclock_version();
        String slaclock_status_name(int status);
        String slaclock_last_error();
        String slaclock_text_data(Pointer text);
        void slaclock_text_free(Pointer text);
        int slaclock_policy_load(byte[] path, SizeT pathLen, PointerByReference out, ErrorStruct error);
        int slaclock_policy_due(
            Pointer policy, byte[] clock, SizeT clockLen, long receivedAt, Pointer facts, LongByReference out, ErrorStruct error);
        int slaclock_policy_rule(
            Pointer policy, byte[] clock, SizeT clockLen, Pointer facts, PointerByReference out, ErrorStruct error);
        void slaclock_policy_free(Pointer policy);
        int slaclock_rule_calendar(Pointer rule, PointerByReference out, ErrorStruct error);
        void slaclock_rule_free(Pointer rule);
        int slaclock_calendar_zone(Pointer calendar, PointerByReference out, ErrorStruct error);
        void slaclock_calendar_free(Pointer calendar);
        int slaclock_batch_new(PointerByReference out, ErrorStruct error);
        int slaclock_batch_submit(Pointer batch, RequestStruct request, ErrorStruct error);
        int slaclock_batch_record(Pointer batch, byte[] id, SizeT idLen, EventStruct event, ErrorStruct error);
        SizeT slaclock_batch_len(Pointer batch);
        void slaclock_batch_free(Pointer batch);
        int slaclock_open(byte[] path, SizeT pathLen, Pointer options, PointerByReference out, ErrorStruct error);
        int slaclock_create(
            byte[] path, SizeT pathLen, Pointer policy, Pointer options, PointerByReference out, ErrorStruct error);
        int slaclock_in_memory(Pointer policy, PointerByReference out, ErrorStruct error);
        int slaclock_close(Pointer db, ErrorStruct error);
        int slaclock_submit(Pointer db, RequestStruct request, IntByReference outcome, ErrorStruct error);
        int slaclock_record(Pointer db, byte[] id, SizeT idLen, EventStruct event, IntByReference outcome, ErrorStruct error);
        int slaclock_apply(
            Pointer db, Pointer batch, int onError, int[] outcomes, int[] statuses, SizeT capacity, PointerByReference refused,
            ErrorStruct error);
        int slaclock_late(
            Pointer db, long now, long after, RowStruct rows, SizeT capacity, SizeTByReference filled, LongByReference next,
            ErrorStruct error);
        int slaclock_breached(
            Pointer db, long now, long after, RowStruct rows, SizeT capacity, SizeTByReference filled, LongByReference next,
            ErrorStruct error);
        int slaclock_at_risk(
            Pointer db, long now, long after, RowStruct rows, SizeT capacity, SizeTByReference filled, LongByReference next,
            ErrorStruct error);
        int slaclock_due_before(
            Pointer db, long until, long after, RowStruct rows, SizeT capacity, SizeTByReference filled, LongByReference next,
            ErrorStruct error);
        int slaclock_attainment(
            Pointer db, AttainmentQuery query, AttainmentRow rows, SizeT capacity, SizeTByReference count, ErrorStruct error);
        int slaclock_explain(
            Pointer db, byte[] id, SizeT idLen, byte[] clock, SizeT clockLen, long now, PointerByReference text,
            PointerByReference json, ErrorStruct error);
    }

    private static final Functions C = load();

    private static Functions load() {
        var options = Map.of(Library.OPTION_STRING_ENCODING, "UTF-8");
        String path = System.getenv("SLACLOCK_LIBRARY");
        Functions c = Native.load(path == null || path.isEmpty() ? "slaclock" : path, Functions.class, options);
        if (c.slaclock_abi_version() != ABI_VERSION) {
            throw new UnsatisfiedLinkError(
                "the library's interface has number " + c.slaclock_abi_version() + ", this class needs " + ABI_VERSION);
        }
        return c;
    }

    private interface Call {
        int with(ErrorStruct error);
    }

    private interface Making {
        int with(PointerByReference out, ErrorStruct error);
    }

    private static void call(Call call) {
        var error = new ErrorStruct();
        int status = call.with(error);
        if (status != 0) {
            String message = Native.toString(error.message, "UTF-8");
            // Too long for the struct: the call was made on this thread, so the last error is this one.
            String whole = message.endsWith("...") ? C.slaclock_last_error() : message;
            throw new SlaclockException(status, C.slaclock_status_name(status), whole);
        }
    }

    private static Pointer handle(Making making) {
        var out = new PointerByReference();
        call(error -> making.with(out, error));
        return out.getValue();
    }

    private static String text(Making making) {
        Pointer text = handle(making);
        try {
            return C.slaclock_text_data(text);
        } finally {
            C.slaclock_text_free(text);
        }
    }

    private static byte[] utf8(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    private static Instant instant(long seconds) {
        return seconds == NONE ? null : Instant.ofEpochSecond(seconds);
    }

    private static Long number(long value) {
        return value == NONE ? null : value;
    }

    /** `size_t`. */
    public static final class SizeT extends IntegerType {
        private static final long serialVersionUID = 1;

        public SizeT() {
            this(0);
        }

        public SizeT(long value) {
            super(Native.SIZE_T_SIZE, value, true);
        }
    }

    /** `size_t *`. */
    public static final class SizeTByReference extends com.sun.jna.ptr.ByReference {
        public SizeTByReference() {
            super(Native.SIZE_T_SIZE);
        }

        long getValue() {
            return Native.SIZE_T_SIZE == 8 ? getPointer().getLong(0) : getPointer().getInt(0);
        }
    }

    /**
     * Texts that structs point to. They live as long as this does, so `keep` is called once the structs are no longer
     * read.
     */
    private static final class Texts {
        private final List<Memory> texts = new ArrayList<>();

        /** Sets nothing for null. */
        Pointer add(String text) {
            if (text == null) {
                return null;
            }
            byte[] bytes = utf8(text);
            var memory = new Memory(bytes.length + 1L);
            memory.write(0, bytes, 0, bytes.length);
            memory.setByte(bytes.length, (byte) 0);
            texts.add(memory);
            return memory;
        }

        void keep() {
            java.lang.ref.Reference.reachabilityFence(texts);
        }
    }

    /**
     * A length that says that a text ends with NUL. A text with a NUL inside would be cut there, so it is refused.
     */
    private static SizeT length(String text) {
        if (text != null && text.indexOf('\0') >= 0) {
            throw new SlaclockException(3, "InvalidArgument", "a text with a NUL character: " + text.replace('\0', '?'));
        }
        return new SizeT(-1);
    }

    @FieldOrder({"size", "code", "reason", "line", "column", "message"})
    public static final class ErrorStruct extends Structure {
        public int size;
        public int code;
        public int reason;
        public int line;
        public int column;
        public byte[] message = new byte[MESSAGE_SIZE];

        public ErrorStruct() {
            size = size();
        }
    }

    @FieldOrder({
        "size", "id", "idLen", "receivedAt", "customer", "customerLen", "priority", "priorityLen", "category", "categoryLen", "channel", "channelLen",
        "subject", "subjectLen", "attributes"
    })
    public static final class RequestStruct extends Structure {
        public int size;
        public Pointer id;
        public SizeT idLen = new SizeT(-1);
        public long receivedAt;
        public Pointer customer;
        public SizeT customerLen = new SizeT(-1);
        public Pointer priority;
        public SizeT priorityLen = new SizeT(-1);
        public Pointer category;
        public SizeT categoryLen = new SizeT(-1);
        public Pointer channel;
        public SizeT channelLen = new SizeT(-1);
        public Pointer subject;
        public SizeT subjectLen = new SizeT(-1);
        public Pointer attributes;

        RequestStruct(Request request, Texts texts) {
            size = size();
            id = texts.add(request.id());
            idLen = length(request.id());
            receivedAt = request.receivedAt().getEpochSecond();
            customer = texts.add(request.customer());
            customerLen = length(request.customer());
            priority = texts.add(request.priority());
            priorityLen = length(request.priority());
            subject = texts.add(request.subject());
            subjectLen = length(request.subject());
        }
    }

    @FieldOrder({
        "size", "kind", "at", "by", "byLen", "key", "keyLen", "text", "textLen", "reason", "reasonLen", "to", "toLen", "vendor", "vendorLen", "dueAt",
        "facts", "approvedBy", "approvedByLen", "clock", "clockLen", "cycle", "faq", "faqLen"
    })
    public static final class EventStruct extends Structure {
        public int size;
        public int kind;
        public long at;
        public Pointer by;
        public SizeT byLen = new SizeT(-1);
        public Pointer key;
        public SizeT keyLen = new SizeT(-1);
        public Pointer text;
        public SizeT textLen = new SizeT(-1);
        public Pointer reason;
        public SizeT reasonLen = new SizeT(-1);
        public Pointer to;
        public SizeT toLen = new SizeT(-1);
        public Pointer vendor;
        public SizeT vendorLen = new SizeT(-1);
        public long dueAt = NONE;
        public Pointer facts;
        public Pointer approvedBy;
        public SizeT approvedByLen = new SizeT(-1);
        public Pointer clock;
        public SizeT clockLen = new SizeT(-1);
        public long cycle = NONE;
        public Pointer faq;
        public SizeT faqLen = new SizeT(-1);

        EventStruct(Event event, Texts texts) {
            size = size();
            kind = event.kind().number;
            at = event.at().getEpochSecond();
            by = texts.add(event.by());
            byLen = length(event.by());
            key = texts.add(event.key());
            keyLen = length(event.key());
            reason = texts.add(event.reason());
            reasonLen = length(event.reason());
            to = texts.add(event.to());
            toLen = length(event.to());
            vendor = texts.add(event.vendor());
            vendorLen = length(event.vendor());
            dueAt = event.dueAt() == null ? NONE : event.dueAt().getEpochSecond();
            text = texts.add(event.text());
            textLen = length(event.text());
            approvedBy = texts.add(event.approvedBy());
            approvedByLen = length(event.approvedBy());
            clock = texts.add(event.clock());
            clockLen = length(event.clock());
            cycle = event.cycle() == null ? NONE : event.cycle();
            faq = texts.add(event.faq());
            faqLen = length(event.faq());
        }
    }

    @FieldOrder({"dueAt", "limitAt", "startedAt", "cycle", "stage", "request", "clock"})
    public static final class RowStruct extends Structure {
        public long dueAt;
        public long limitAt;
        public long startedAt;
        public long cycle;
        public int stage;
        public byte[] request = new byte[NAME_SIZE];
        public byte[] clock = new byte[NAME_SIZE];

        Row toRow() {
            return new Row(
                Native.toString(request, "UTF-8"), Native.toString(clock, "UTF-8"),
                Stage.values()[Math.min(stage, Stage.UNKNOWN.ordinal())], cycle, instant(startedAt), instant(dueAt), instant(limitAt));
        }
    }

    /** Room for a page of rows, and where the next one begins. */
    private static final class Page {
        final RowStruct rows = new RowStruct();
        final SizeT capacity = new SizeT(PAGE_ROWS);
        final SizeTByReference filled = new SizeTByReference();
        final LongByReference next = new LongByReference();
        private final RowStruct[] all = (RowStruct[]) rows.toArray(PAGE_ROWS);

        Page() {
            // Only what was filled is copied from the library's side, in `addTo`.
            for (RowStruct row : all) {
                row.setAutoSynch(false);
            }
        }

        void addTo(List<Row> list) {
            for (int i = 0; i < filled.getValue(); i++) {
                all[i].read();
                list.add(all[i].toRow());
            }
        }
    }

    @FieldOrder({"size", "per", "now", "period", "periodLen", "clock", "clockLen", "by", "byLen"})
    public static final class AttainmentQuery extends Structure {
        public int size;
        public int per;
        public long now;
        public Pointer period;
        public SizeT periodLen = new SizeT(-1);
        public Pointer clock;
        public SizeT clockLen = new SizeT(-1);
        public Pointer by;
        public SizeT byLen = new SizeT(-1);

        AttainmentQuery(String period, Per per, Instant now, Texts texts) {
            size = size();
            this.per = per.ordinal();
            this.now = now.getEpochSecond();
            this.period = texts.add(period);
            periodLen = length(period);
        }
    }

    @FieldOrder({
        "firstDay", "lastDay", "met", "missed", "undecided", "notStarted", "noDeadline", "cancelled", "waived", "missedWithinLimit", "missedLimitOpen",
        "missedBreached", "cyclesMet", "cyclesMissed", "shareBp", "adjustedShareBp", "goalBp", "budgetLeft", "verdict", "periodOver", "clock"
    })
    public static final class AttainmentRow extends Structure {
        public long firstDay;
        public long lastDay;
        public long met;
        public long missed;
        public long undecided;
        public long notStarted;
        public long noDeadline;
        public long cancelled;
        public long waived;
        public long missedWithinLimit;
        public long missedLimitOpen;
        public long missedBreached;
        public long cyclesMet;
        public long cyclesMissed;
        public long shareBp;
        public long adjustedShareBp;
        public long goalBp;
        public long budgetLeft;
        public int verdict;
        public int periodOver;
        public byte[] clock = new byte[NAME_SIZE];

        Attainment toAttainment() {
            return new Attainment(
                Native.toString(clock, "UTF-8"), met, missed, undecided, number(shareBp), number(goalBp), number(budgetLeft));
        }
    }
}
