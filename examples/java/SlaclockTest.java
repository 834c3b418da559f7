import java.nio.file.Path;
import java.time.Instant;
import java.util.List;

/**
 * What could go wrong in Java: structs with another layout than C's, texts cut or collected too soon, pages that do
 * not end, errors of one thread seen by another.
 *
 * <pre>java -cp /usr/share/java/jna.jar:classes SlaclockTest ../policies/promise.toml</pre>
 */
public final class SlaclockTest {
    private static final Instant FRIDAY = Instant.parse("2026-03-06T12:00:00Z");
    private static final Instant TUESDAY = Instant.parse("2026-03-10T07:00:00Z");

    private SlaclockTest() {}

    public static void main(String[] arguments) throws InterruptedException {
        try (var policy = Slaclock.Policy.load(Path.of(arguments[0]))) {
            equal(policy.due("resolution", FRIDAY), Instant.parse("2026-03-09T08:00:00Z"));
            equal(policy.zone("resolution").getId(), "Europe/Moscow");
            pages(policy);
            requests(policy);
            errors(policy);
            threads(policy);
        }
        System.out.println("ok");
    }

    private static void pages(Slaclock.Policy policy) {
        try (var db = Slaclock.Db.inMemory(policy); var batch = new Slaclock.Batch()) {
            equal(db.apply(batch), List.of());
            for (int i = 0; i < 600; i++) {
                batch.submit(request("Ü-" + i, FRIDAY.plusSeconds(i)));
            }
            equal(db.apply(batch).stream().distinct().toList(), List.of(Slaclock.Outcome.RECORDED));
            equal(db.apply(batch).stream().distinct().toList(), List.of(Slaclock.Outcome.ALREADY_RECORDED));
            var late = db.late(TUESDAY);
            equal(late.size(), 600);
            equal(late.get(599), new Slaclock.Row(
                "Ü-599", "resolution", Slaclock.Stage.LATE, 1, FRIDAY.plusSeconds(599), Instant.parse("2026-03-09T08:00:00Z"),
                Instant.parse("2026-03-11T15:00:00Z")));
            equal(db.breached(TUESDAY), List.of());
        }
    }

    private static void requests(Slaclock.Policy policy) {
        try (var db = Slaclock.Db.inMemory(policy)) {
            equal(db.submit(request("CASE-1", FRIDAY)), Slaclock.Outcome.RECORDED);
            equal(db.submit(request("CASE-1", FRIDAY)), Slaclock.Outcome.ALREADY_RECORDED);
            var paused = new Slaclock.Event(
                Slaclock.EventKind.PAUSED, FRIDAY.plusSeconds(60), "ann", "p1", "waiting_customer", null, null, null);
            equal(db.record("CASE-1", paused), Slaclock.Outcome.RECORDED);
            equal(db.record("CASE-1", paused), Slaclock.Outcome.ALREADY_RECORDED);
            var link = Slaclock.Event.of(Slaclock.EventKind.FAQ_LINKED, FRIDAY.plusSeconds(90), "ann", null).ofFaq("vpn");
            equal(fails("NotFound", () -> db.record("CASE-1", link)).contains("`vpn`"), true);
            var resolved = Slaclock.Event.of(Slaclock.EventKind.RESOLVED, FRIDAY.plusSeconds(120), "ann", null);
            equal(db.record("CASE-1", resolved), Slaclock.Outcome.RECORDED);
            equal(db.explain("CASE-1", "resolution", TUESDAY).contains("waiting_customer"), true);
            var months = db.attainment(null, Slaclock.Per.MONTH, TUESDAY);
            equal(months, List.of(new Slaclock.Attainment("resolution", 1, 0, 0, 10_000L, 9_500L, 0L)));
        }
    }

    private static void errors(Slaclock.Policy policy) {
        var db = Slaclock.Db.inMemory(policy);
        var event = Slaclock.Event.of(Slaclock.EventKind.RESOLVED, FRIDAY, null, null);
        // Longer than the struct has room for.
        String id = "q".repeat(255);
        equal(fails("NotFound", () -> db.record(id, event)).contains(id), true);
        fails("InvalidArgument", () -> db.submit(request("with\0inside", FRIDAY)));
        fails("OutOfRange", () -> db.late(Instant.parse("2100-01-01T00:00:00Z")));
        db.submit(request("CASE-1", FRIDAY));
        fails("Conflict", () -> db.submit(request("CASE-1", TUESDAY)));
        fails("InvalidEvent", () -> db.record("CASE-1", Slaclock.Event.of(Slaclock.EventKind.PAUSED, TUESDAY, null, null)));
        db.close();
        db.close();
        fails("Closed", () -> db.late(TUESDAY));
        fails("NotFound", () -> Slaclock.Db.open(Path.of("/nowhere/care.slaclock")));
    }

    private static void threads(Slaclock.Policy policy) throws InterruptedException {
        try (var db = Slaclock.Db.inMemory(policy)) {
            var failures = new java.util.concurrent.ConcurrentLinkedQueue<Throwable>();
            var threads = new Thread[8];
            for (int t = 0; t < threads.length; t++) {
                String prefix = "T" + t + "-";
                threads[t] = new Thread(() -> writeAndFail(db, prefix));
                threads[t].setUncaughtExceptionHandler((thread, failure) -> failures.add(failure));
                threads[t].start();
            }
            for (var thread : threads) {
                thread.join();
            }
            equal(List.copyOf(failures), List.of());
            equal(db.late(TUESDAY).size(), 8 * 100);
        }
    }

    private static void writeAndFail(Slaclock.Db db, String prefix) {
        var event = Slaclock.Event.of(Slaclock.EventKind.RESOLVED, FRIDAY, null, null);
        for (int i = 0; i < 100; i++) {
            String id = prefix + i;
            equal(fails("NotFound", () -> db.record(id, event)).contains("`" + id + "`"), true);
            db.submit(request(id, FRIDAY));
        }
    }

    private static Slaclock.Request request(String id, Instant receivedAt) {
        return new Slaclock.Request(id, receivedAt, "acme", null, "Größe");
    }

    /** The message of the failure of this name. */
    private static String fails(String name, Runnable call) {
        try {
            call.run();
        } catch (Slaclock.SlaclockException error) {
            equal(error.name, name);
            return error.getMessage();
        }
        throw new AssertionError("no " + name);
    }

    private static void equal(Object found, Object wanted) {
        if (!found.equals(wanted)) {
            throw new AssertionError("found " + found + ", wanted " + wanted);
        }
    }
}
