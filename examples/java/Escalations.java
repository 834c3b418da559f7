import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.YearMonth;
import java.time.ZoneId;
import java.time.format.DateTimeFormatter;
import java.util.List;
import java.util.Locale;

/**
 * A help desk's nightly escalation list: takes in the day's export of tickets and their history, and prints what is
 * overdue, what is about to be, and how the month stands.
 *
 * <pre>java -cp /usr/share/java/jna.jar:. Escalations care.slaclock promise.toml tickets.tsv history.tsv
 * 2026-03-10T06:00:00+03:00</pre>
 *
 * <p>Exports are UTF-8 with tabs between fields and a heading line. Taking the same rows in again changes nothing, so
 * an export may always be the whole month's. A wrong row stops the program by name, and nothing of that export is
 * written.
 */
public final class Escalations {
    private static final String CLOCK = "resolution";
    private static final Duration AHEAD = Duration.ofHours(12);

    private final Slaclock.Db db;
    private final Instant now;
    private final DateTimeFormatter local;
    private final ZoneId zone;
    private final PrintStream out;

    private Escalations(Slaclock.Db db, ZoneId zone, Instant now, PrintStream out) {
        this.db = db;
        this.zone = zone;
        this.now = now;
        this.out = out;
        this.local = DateTimeFormatter.ofPattern("EEE yyyy-MM-dd HH:mm", Locale.ENGLISH).withZone(zone);
    }

    public static void main(String[] arguments) {
        if (arguments.length != 5) {
            System.err.println("needs: DATABASE POLICY TICKETS HISTORY NOW, found " + arguments.length + " arguments");
            System.exit(2);
        }
        Path file = Path.of(arguments[0]);
        // A list in UTF-8 whatever the locale of the cron job.
        var out = new PrintStream(System.out, true, StandardCharsets.UTF_8);
        try (var policy = Slaclock.Policy.load(Path.of(arguments[1])); var db = openOrCreate(file, policy)) {
            Instant now = OffsetDateTime.parse(arguments[4]).toInstant();
            var list = new Escalations(db, policy.zone(CLOCK), now, out);
            list.take("tickets", Path.of(arguments[2]), 5, Escalations::ticket);
            list.take("events", Path.of(arguments[3]), 5, Escalations::event);
            list.print();
        } catch (Slaclock.SlaclockException error) {
            System.err.println(error.name + ": " + error.getMessage());
            System.exit(1);
        } catch (IOException error) {
            System.err.println(error.getMessage());
            System.exit(1);
        }
    }

    private static Slaclock.Db openOrCreate(Path file, Slaclock.Policy policy) {
        return Files.exists(file) ? Slaclock.Db.open(file) : Slaclock.Db.create(file, policy);
    }

    private interface Row {
        void addTo(Slaclock.Batch batch, String[] fields);
    }

    /** Columns: id, received, customer, priority, subject. */
    private static void ticket(Slaclock.Batch batch, String[] fields) {
        batch.submit(new Slaclock.Request(fields[0], instant(fields[1]), known(fields[2]), known(fields[3]), known(fields[4])));
    }

    /** Columns: id, at, event, by, reason (of a pause). */
    private static void event(Slaclock.Batch batch, String[] fields) {
        var kind = Slaclock.EventKind.valueOf(fields[2].toUpperCase(Locale.ROOT));
        // The export has no keys of its own: what happened when tells its rows apart.
        String key = fields[2] + " " + fields[1];
        batch.record(fields[0], new Slaclock.Event(
            kind, instant(fields[1]), known(fields[3]), key, known(fields[4]), null, null, null));
    }

    private void take(String what, Path file, int columns, Row row) throws IOException {
        List<String> lines = Files.readAllLines(file, StandardCharsets.UTF_8);
        try (var batch = new Slaclock.Batch()) {
            for (int i = 1; i < lines.size(); i++) {
                String[] fields = lines.get(i).split("\t", -1);
                if (fields.length != columns) {
                    throw new IOException(file + ", line " + (i + 1) + ": " + fields.length + " fields, must be " + columns);
                }
                try {
                    row.addTo(batch, fields);
                } catch (RuntimeException error) {
                    throw new IOException(file + ", line " + (i + 1) + ": " + error.getMessage(), error);
                }
            }
            List<Slaclock.Outcome> outcomes = db.apply(batch);
            long fresh = outcomes.stream().filter(outcome -> outcome == Slaclock.Outcome.RECORDED).count();
            out.printf("%d %s, %d new%n", outcomes.size(), what, fresh);
        }
    }

    private void print() {
        out.printf("%nEscalations of %s%n", local.format(now));
        section("Promise broken", db.breached(now));
        section("Late", db.late(now));
        section("At risk", db.atRisk(now));
        section("Due within " + AHEAD.toHours() + " hours", db.dueBefore(now.plus(AHEAD)).stream()
            .filter(row -> !row.dueAt().isBefore(now)).toList());
        String month = YearMonth.from(now.atZone(zone)).toString();
        for (var attainment : db.attainment(month, Slaclock.Per.WHOLE, now)) {
            out.printf("%n%s, %s: %d in time, %d not, %d open; %s of a promised %s%n", month, attainment.clock(), attainment.met(),
                attainment.missed(), attainment.undecided(), percent(attainment.shareBp()), percent(attainment.goalBp()));
        }
    }

    private void section(String title, List<Slaclock.Row> rows) {
        out.printf("%n%s: %d%n", title, rows.size());
        for (var row : rows) {
            String limit = row.limitAt() == null ? "" : ", limit " + local.format(row.limitAt());
            out.printf("  %-8s %-10s due %s%s%n", row.request(), row.clock(), local.format(row.dueAt()), limit);
        }
    }

    private static String percent(Long hundredths) {
        return hundredths == null ? "none decided" : String.format(Locale.ROOT, "%d.%02d %%", hundredths / 100, hundredths % 100);
    }

    private static Instant instant(String text) {
        return OffsetDateTime.parse(text).toInstant();
    }

    private static String known(String field) {
        return field.isEmpty() ? null : field;
    }
}
