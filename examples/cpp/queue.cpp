// queue: a help desk's screen. What is broken, late and at risk, and what is due next.
//
// On a terminal it draws itself anew every few seconds until Ctrl-C; otherwise, and with --once, it prints the queue
// once. It opens the database for reading only, beside whatever writes to it. See README.md beside this file.

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <iostream>
#include <optional>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>

#include <slaclock.hpp>

namespace {

using slaclock::Instant;
using namespace std::chrono_literals;

constexpr std::string_view usage =
    "usage: queue DATABASE [OPTIONS]\n"
    "  --calendar NAME  times in the zone of this calendar of the policy, instead of UTC\n"
    "  --now TIME       the queue as of \"2026-03-09 12:00\" in that zone, instead of now\n"
    "  --rows N         rows for each stage; 10 if left out\n"
    "  --every SECONDS  between two looks; 10 if left out\n"
    "  --once           prints once, also on a terminal\n"
    "  --colour WHEN    auto, always or never; auto if left out\n";

/// What the user asked wrongly.
struct Misuse : std::runtime_error {
    using std::runtime_error::runtime_error;
};

struct Settings {
    std::string database;
    std::optional<std::string> calendar;
    std::optional<std::string> now;
    std::size_t rows = 10;
    std::chrono::seconds every = 10s;
    bool once = false;
    bool colour = false;
};

std::int64_t read_number(std::string_view option, std::string_view text) {
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc() || end != text.data() + text.size() || number < 1 || number > 86400)
        throw Misuse(std::string(option) + " `" + std::string(text) + "`: must be a number from 1 to 86400");
    return number;
}

bool wants_colour(std::string_view when) {
    if (when == "always") return true;
    if (when == "never") return false;
    if (when != "auto") throw Misuse("--colour `" + std::string(when) + "`: must be auto, always or never");
    const char* terminal = std::getenv("TERM");
    return isatty(STDOUT_FILENO) != 0 && std::getenv("NO_COLOR") == nullptr && terminal != nullptr &&
           std::string_view(terminal) != "dumb";
}

Settings read_arguments(int argc, char** argv) {
    Settings settings;
    std::string_view colour = "auto";
    for (int i = 1; i < argc; ++i) {
        const std::string_view option = argv[i];
        const auto value = [&]() -> std::string_view {
            if (i + 1 == argc) throw Misuse(std::string(option) + " needs a value");
            return argv[++i];
        };
        if (option == "--calendar") settings.calendar = value();
        else if (option == "--now") settings.now = value();
        else if (option == "--rows") settings.rows = static_cast<std::size_t>(read_number(option, value()));
        else if (option == "--every") settings.every = std::chrono::seconds(read_number(option, value()));
        else if (option == "--once") settings.once = true;
        else if (option == "--colour") colour = value();
        else if (option.substr(0, 1) == "-" || !settings.database.empty())
            throw Misuse("`" + std::string(option) + "` is not known here");
        else settings.database = option;
    }
    if (settings.database.empty()) throw Misuse("which database?");
    settings.colour = wants_colour(colour);
    settings.once = settings.once || isatty(STDOUT_FILENO) == 0;
    return settings;
}

/// The zone in which people read times: a calendar's, or UTC.
class Zone {
public:
    Zone(const slaclock::Db& db, const std::optional<std::string>& calendar) {
        if (!calendar) return;
        calendar_.emplace(db.policy().calendar(*calendar));
        name_ = calendar_->zone();
    }

    const std::string& name() const { return name_; }

    std::string text(Instant at) const {
        slaclock::Civil civil{slaclock::date(0), at.time_since_epoch()};
        if (calendar_) civil = calendar_->local(at);
        const std::time_t wall = slaclock::days(civil.day) * 86400 + civil.time.count();
        std::tm parts{};
        gmtime_r(&wall, &parts);
        char room[32];
        return {room, std::strftime(room, sizeof room, "%a %Y-%m-%d %H:%M", &parts)};
    }

    Instant read(const std::string& text) const {
        std::tm parts{};
        char more = 0;
        if (std::sscanf(text.c_str(), "%4d-%2d-%2d %2d:%2d%c", &parts.tm_year, &parts.tm_mon, &parts.tm_mday,
                        &parts.tm_hour, &parts.tm_min, &more) != 5)
            throw Misuse("--now `" + text + "`: must look like 2026-03-09 12:00");
        parts.tm_year -= 1900;
        parts.tm_mon -= 1;
        const Instant wall = slaclock::instant(timegm(&parts));
        if (!calendar_) return wall;
        const auto seconds = wall.time_since_epoch();
        return calendar_->instant({slaclock::date(seconds / 24h), seconds % 24h});
    }

private:
    std::optional<slaclock::Calendar> calendar_;
    std::string name_ = "UTC";
};

/// A span as people say it, in its two largest units.
std::string span(std::chrono::seconds length) {
    const auto minutes = std::chrono::duration_cast<std::chrono::minutes>(length).count();
    const auto days = minutes / 1440, hours = minutes / 60 % 24;
    std::string text;
    if (days > 0) text = std::to_string(days) + " d " + std::to_string(hours) + " h";
    else if (hours > 0) text = std::to_string(hours) + " h " + std::to_string(minutes % 60) + " min";
    else text = std::to_string(minutes) + " min";
    return text;
}

class Screen {
public:
    Screen(const slaclock::Db& db, const Zone& zone, const Settings& settings)
        : db_(db), zone_(zone), settings_(settings) {}

    std::string draw(Instant now) {
        out_.str({});
        const auto counts = db_.counts(now);
        out_ << zone_.text(now) << ' ' << zone_.name() << "   " << counts.on_track << " on track, " << counts.paused
             << " paused\n";
        section("BREACHED", "1;31", counts.breached, db_.breached(now), now);
        section("LATE", "31", counts.late, db_.late(now), now);
        section("AT RISK", "33", counts.at_risk, db_.at_risk(now), now);
        if (const auto next = db_.next_due(now))
            out_ << "\nnext due: " << next->request << ", " << next->clock << ", " << zone_.text(next->due_at)
                 << " (in " << span(next->due_at - now) << ")\n";
        return out_.str();
    }

private:
    void section(std::string_view title, std::string_view colour, std::int64_t count, slaclock::Rows rows,
                 Instant now) {
        if (count == 0) return;
        out_ << '\n' << paint(colour) << title << paint("0") << "  " << count << '\n';
        std::size_t shown = 0;
        for (const auto& row : rows) {
            if (shown++ == settings_.rows) break;
            line(row, colour, now);
        }
        if (const auto left = count - static_cast<std::int64_t>(settings_.rows); left > 0)
            out_ << "  and " << left << " more\n";
    }

    void line(const slaclock::Row& row, std::string_view colour, Instant now) {
        const bool passed = row.due_at < now;
        const std::string left = passed ? span(now - row.due_at) + " ago" : "in " + span(row.due_at - now);
        out_ << "  " << padded(row.request, 12) << padded(row.clock, 12) << "due " << zone_.text(row.due_at) << "  "
             << paint(colour) << left << paint("0");
        // The promise can still be kept in its second tier.
        if (passed && row.limit_at && now <= *row.limit_at) out_ << ", at the latest " << zone_.text(*row.limit_at);
        out_ << '\n';
    }

    std::string paint(std::string_view code) const {
        return settings_.colour ? "\x1b[" + std::string(code) + "m" : std::string();
    }
    /// Wide enough for a column; a character of UTF-8 counts as one.
    static std::string padded(const std::string& text, std::ptrdiff_t width) {
        const auto begins = [](char byte) { return (static_cast<unsigned char>(byte) & 0xc0) != 0x80; };
        const std::ptrdiff_t length = std::count_if(text.begin(), text.end(), begins);
        return text + std::string(static_cast<std::size_t>(std::max<std::ptrdiff_t>(width - length, 1)), ' ');
    }

    const slaclock::Db& db_;
    const Zone& zone_;
    const Settings& settings_;
    std::ostringstream out_;
};

volatile std::sig_atomic_t stopped = 0;

/// Ctrl-C ends the wait between two looks, and then the program.
void end_on_interrupt() {
    struct sigaction action {};
    action.sa_handler = [](int) { stopped = 1; };
    sigaction(SIGINT, &action, nullptr);
    sigaction(SIGTERM, &action, nullptr);
}

void run(const Settings& settings) {
    const auto db = slaclock::Db::open(settings.database, slaclock::Options().read_only());
    const Zone zone(db, settings.calendar);
    Screen screen(db, zone, settings);
    const Instant as_of = settings.now ? zone.read(*settings.now) : slaclock::now();
    const auto begun = std::chrono::steady_clock::now();
    end_on_interrupt();
    do {
        const auto passed = std::chrono::floor<std::chrono::seconds>(std::chrono::steady_clock::now() - begun);
        const std::string drawn = screen.draw(as_of + passed);
        std::cout << (settings.once ? "" : "\x1b[H\x1b[2J") << drawn << std::flush;
        if (!std::cout) throw std::runtime_error("standard output cannot be written");
        if (!settings.once) poll(nullptr, 0, static_cast<int>(settings.every / 1ms));
    } while (!settings.once && stopped == 0);
}

}  // namespace

int main(int argc, char** argv) {
    if (argc == 2 && std::string_view(argv[1]) == "--help") {
        std::cout << usage;
        return 0;
    }
    try {
        run(read_arguments(argc, argv));
        return 0;
    } catch (const Misuse& misuse) {
        std::cerr << "queue: " << misuse.what() << '\n' << usage;
    } catch (const std::exception& error) {
        std::cerr << "queue: " << error.what() << '\n';
    }
    return 2;
}
