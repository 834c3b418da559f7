//! `watch`: the queue, live in a terminal; line by line where there is none.

use std::io::{IsTerminal, Write};
use std::time::{Duration, Instant as Moment};

use comfy_table::{Cell, Color, Table};
use crossterm::event::{Event, KeyCode, KeyEventKind, KeyModifiers};
use crossterm::{cursor, event, execute, queue, terminal};
use serde_json::json;

use crate::clock::Stage;
use crate::db::{Counts, Db, Options, Page, Query, Row};
use crate::time::{Instant, Span};

use super::Verdict;
use super::args;
use super::failure::Failure;
use super::out::{self, Out, grouped};
use super::watch::summary;
use super::when::Zones;

/// Rows to list where no screen sets a limit.
const PLAIN_ROWS: usize = 10;
/// Lines of the screen that are not rows: two of the head, two headings with their tables' heads, and one at the end.
const FIXED_LINES: usize = 9;

pub(crate) fn watch(args: &args::Watch, out: &mut Out) -> Result<Verdict, Failure> {
    let db = Db::open(&args.db, Options::default().read_only())?;
    let policy = db.policy()?;
    if let Some(clock) = &args.clock {
        policy.clock(clock)?;
    }
    let zones = Zones::of(&policy);
    let title = format!("{} v{}", policy.name(), policy.version());
    let start = zones.now("--now", args.now.as_deref())?;
    let queue =
        Watched { db: &db, zones: &zones, title, clock: args.clock.as_deref(), start, since: Moment::now() };
    let every = Duration::from_secs(args.every.into());
    let last = if !out.is_json() && std::io::stdout().is_terminal() && std::io::stdin().is_terminal() {
        on_screen(&queue, every, args.times)?
    } else {
        line_by_line(&queue, every, args.times, out)?
    };
    Ok(if last.late + last.breached > 0 { Verdict::Late } else { Verdict::Fine })
}

/// What is looked at again and again.
struct Watched<'a> {
    db: &'a Db,
    zones: &'a Zones,
    title: String,
    clock: Option<&'a str>,
    start: Instant,
    since: Moment,
}

/// One look.
struct Look {
    now: Instant,
    counts: Counts,
    next: Vec<Row>,
    late: Vec<Row>,
}

impl Look {
    fn shows_the_same(&self, other: &Look) -> bool {
        (&self.counts, &self.next, &self.late) == (&other.counts, &other.next, &other.late)
    }
}

impl Watched<'_> {
    /// The time that has come since the start.
    fn now(&self) -> Instant {
        let passed = i64::try_from(self.since.elapsed().as_secs()).unwrap_or(i64::MAX);
        self.start.checked_add(Span::from_secs(passed)).unwrap_or(Instant::MAX)
    }

    /// At most so many rows that are due next, and as many that have been late for longest.
    fn look(&self, rows: usize) -> Result<Look, Failure> {
        let now = self.now();
        let ask = |query: Query| match self.clock {
            Some(clock) => query.clock(clock),
            None => query,
        };
        let page = |query: Query| self.db.scan(&ask(query), Page::first(rows.max(1))).map(|page| page.rows);
        Ok(Look {
            now,
            counts: self.db.counts(now)?,
            next: page(Query::at(now).since(now))?,
            late: page(Query::at(now).until(now))?,
        })
    }

    fn table(&self, look: &Look, rows: &[Row]) -> Table {
        let mut table = out::table(&["request", "clock", "stage", "due", ""]);
        for row in rows {
            let away = row.due_at.since(look.now);
            let away = if away < Span::ZERO {
                format!("{} ago", out::long_span(Span::from_secs(-away.as_secs())))
            } else {
                format!("in {}", out::long_span(away))
            };
            let away = Cell::new(away);
            table.add_row(vec![
                row.request.clone().into(),
                row.clock.clone().into(),
                out::stage(row.stage),
                self.zones.show(Some(&row.clock), row.due_at).into(),
                match row.stage {
                    Stage::AtRisk => away.fg(Color::Yellow),
                    Stage::Late | Stage::Breached => away.fg(Color::Red),
                    _ => away,
                },
            ]);
        }
        table
    }
}

/// Writes a look whenever something but the time has changed.
fn line_by_line(
    queue: &Watched<'_>,
    every: Duration,
    times: Option<u32>,
    out: &mut Out,
) -> Result<Counts, Failure> {
    let mut before: Option<Look> = None;
    let mut looks = 0;
    loop {
        let look = queue.look(PLAIN_ROWS)?;
        let is_news = before.as_ref().is_none_or(|before| !before.shows_the_same(&look));
        if is_news {
            if out.is_json() {
                let answer = json!({
                    "now_at": look.now.as_secs(), "counts": look.counts, "next": look.next, "late": look.late,
                });
                out.object(&answer, queue.zones)?;
            } else {
                out.line(format!("{}: {}", queue.zones.main(look.now), summary(&look.counts)))?;
                if !look.next.is_empty() {
                    out.line("due next")?;
                    out.table(&queue.table(&look, &look.next))?;
                }
                if !look.late.is_empty() {
                    out.line("late for longest")?;
                    out.table(&queue.table(&look, &look.late))?;
                }
            }
            out.finish()?;
        }
        looks += 1;
        let counts = look.counts;
        before = Some(look);
        if times.is_some_and(|times| looks >= times) {
            return Ok(counts);
        }
        std::thread::sleep(every);
    }
}

/// A screen of our own, given back as it was however the watch ends.
struct Screen;

impl Screen {
    fn take() -> Result<Screen, Failure> {
        terminal::enable_raw_mode()?;
        let screen = Screen;
        execute!(std::io::stdout(), terminal::EnterAlternateScreen, terminal::DisableLineWrap, cursor::Hide)?;
        Ok(screen)
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        // Nobody is left to tell of an error; the terminal is gone then.
        let _ = execute!(
            std::io::stdout(),
            cursor::Show,
            terminal::EnableLineWrap,
            terminal::LeaveAlternateScreen
        );
        let _ = terminal::disable_raw_mode();
    }
}

fn on_screen(queue: &Watched<'_>, every: Duration, times: Option<u32>) -> Result<Counts, Failure> {
    let _screen = Screen::take()?;
    let mut looks = 0;
    loop {
        let (_, height) = terminal::size()?;
        let rows = usize::from(height).saturating_sub(FIXED_LINES);
        let look = queue.look(rows)?;
        draw(queue, &look, rows)?;
        looks += 1;
        if times.is_some_and(|times| looks >= times) || wait(every)? == Wish::Quit {
            return Ok(look.counts);
        }
    }
}

#[derive(PartialEq)]
enum Wish {
    Look,
    Quit,
}

/// Waits for the next look or a key.
fn wait(every: Duration) -> Result<Wish, Failure> {
    let until = Moment::now() + every;
    loop {
        let left = until.saturating_duration_since(Moment::now());
        if left.is_zero() || !event::poll(left)? {
            return Ok(Wish::Look);
        }
        match event::read()? {
            Event::Key(key) if key.kind != KeyEventKind::Release => match key.code {
                KeyCode::Char('q' | 'Q') | KeyCode::Esc => return Ok(Wish::Quit),
                KeyCode::Char('c' | 'd') if key.modifiers.contains(KeyModifiers::CONTROL) => {
                    return Ok(Wish::Quit);
                }
                KeyCode::Char('r' | ' ') | KeyCode::Enter => return Ok(Wish::Look),
                _ => {}
            },
            Event::Resize(..) => return Ok(Wish::Look),
            _ => {}
        }
    }
}

/// One frame, written at once so that nothing flickers.
fn draw(queue: &Watched<'_>, look: &Look, rows: usize) -> Result<(), Failure> {
    // What is late gets at most a third while anything is due.
    let late = look.late.len().min((rows / 3).max(rows.saturating_sub(look.next.len())));
    let next = look.next.len().min(rows - late);
    let mut lines = vec![
        format!("\x1b[1m{}\x1b[0m   {}", queue.title, queue.zones.main(look.now)),
        stages(&look.counts),
        String::new(),
    ];
    let mut part = |title: &str, rows: &[Row]| {
        if !rows.is_empty() {
            lines.push(format!("\x1b[1m{title}\x1b[0m"));
            lines.extend(queue.table(look, rows).lines().map(|line| line.trim_end().to_owned()));
            lines.push(String::new());
        }
    };
    part("Due next", &look.next[..next]);
    part("Late for longest", &look.late[..late]);
    if next + late == 0 {
        lines.push("nothing is running".to_owned());
    }
    lines.push("\x1b[90mq quit   r look again\x1b[0m".to_owned());
    let mut frame = Vec::new();
    queue!(frame, cursor::MoveTo(0, 0))?;
    for (at, line) in lines.iter().enumerate() {
        if at > 0 {
            frame.write_all(b"\r\n")?;
        }
        frame.write_all(line.as_bytes())?;
        queue!(frame, terminal::Clear(terminal::ClearType::UntilNewLine))?;
    }
    queue!(frame, terminal::Clear(terminal::ClearType::FromCursorDown))?;
    let mut stdout = anstream::stdout();
    stdout.write_all(&frame)?;
    Ok(stdout.flush()?)
}

/// Counts by stage in their colours.
fn stages(counts: &Counts) -> String {
    let parts = [
        (counts.breached, Stage::Breached, "31;1"),
        (counts.late, Stage::Late, "31"),
        (counts.at_risk, Stage::AtRisk, "33"),
        (counts.on_track, Stage::OnTrack, "32"),
        (counts.paused, Stage::Paused, "36"),
    ];
    let told = parts.map(|(count, stage, colour)| {
        format!("\x1b[{colour}m{} {}\x1b[0m", grouped(count), out::stage_words(stage))
    });
    told.join("   ")
}
