//! The terminal: drawn anew every second, keys in between.

use std::io::{IsTerminal, Read, Write};

use anyhow::Result;
use clap::ValueEnum;
use crossterm::style::Stylize;
use crossterm::{cursor, execute, queue, style, terminal};
use tokio::sync::mpsc;

use super::EVERY;
use super::table::{Line, Mark};
use crate::run;

/// A key that waits to be seen; more are not kept.
const KEYS_MAX: usize = 16;

/// The terminal as a screen of ours; as it was when dropped.
struct Screen {
    colours: bool,
}

impl Screen {
    /// Takes the terminal over.
    fn open() -> Result<Self> {
        terminal::enable_raw_mode()?;
        let screen = Self { colours: std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty()) };
        execute!(std::io::stdout(), terminal::EnterAlternateScreen, cursor::Hide)?;
        Ok(screen)
    }

    /// Draws lines with a foot; what does not fit is counted.
    fn draw(&self, lines: &[Line], foot: &str) -> Result<()> {
        let (width, height) = terminal::size()?;
        let (width, height) = (usize::from(width), usize::from(height));
        let mut out = Vec::new();
        queue!(out, cursor::MoveTo(0, 0))?;
        let room = height.saturating_sub(1);
        for line in lines.iter().take(room) {
            self.put(&mut out, line, width)?;
            queue!(out, terminal::Clear(terminal::ClearType::UntilNewLine), cursor::MoveToNextLine(1))?;
        }
        queue!(out, terminal::Clear(terminal::ClearType::FromCursorDown))?;
        let more = lines.len().saturating_sub(room);
        let foot = if more > 0 { format!("{foot}   … {more} more") } else { foot.to_owned() };
        queue!(out, cursor::MoveTo(0, height.saturating_sub(1) as u16))?;
        self.put(&mut out, &Line(vec![(foot, Mark::Head)]), width)?;
        let mut stdout = std::io::stdout().lock();
        stdout.write_all(&out)?;
        Ok(stdout.flush()?)
    }

    fn put(&self, out: &mut Vec<u8>, line: &Line, mut width: usize) -> Result<()> {
        for (text, mark) in &line.0 {
            let text: String = text.chars().take(width).collect();
            width -= text.chars().count();
            let styled = match mark {
                _ if !self.colours => text.stylize(),
                Mark::Plain => text.stylize(),
                Mark::Head => text.bold(),
                Mark::Doubtful => text.yellow(),
                Mark::Bad => text.red(),
            };
            queue!(out, style::PrintStyledContent(styled))?;
        }
        Ok(())
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        // The terminal may be gone with whoever looked at it.
        execute!(std::io::stdout(), cursor::Show, terminal::LeaveAlternateScreen).ok();
        terminal::disable_raw_mode().ok();
    }
}

/// What a screen shows of what was seen, and what its keys change.
pub trait View<T> {
    /// What was seen, as lines, in the order that is wanted.
    fn lines(&self, seen: &T) -> Vec<Line>;
    /// The key that is sorted by, as on the command line.
    fn sorted_by(&self) -> String;
    /// Sorts by the next key.
    fn sort_by_next(&mut self);
    /// Whether the order is turned round, to be changed.
    fn reverse(&mut self) -> &mut bool;
}

/// The value after this one, and from the last the first.
pub fn next<V: ValueEnum + PartialEq>(value: &V) -> V {
    let all = V::value_variants();
    let at = all.iter().position(|other| other == value).unwrap_or_default();
    all.get((at + 1) % all.len()).unwrap_or(value).clone()
}

/// A value as on the command line.
pub fn name(value: &impl ValueEnum) -> String {
    value.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
}

/// Looks every second and shows what was seen, until `q`, Ctrl-C or a signal.
pub async fn watch<T>(look: &impl AsyncFn() -> Result<T>, mut view: impl View<T>) -> Result<()> {
    // The first look decides whether there is anything to look at; its error is told on the terminal as it was.
    let mut seen = Ok(look().await?);
    let screen = Screen::open()?;
    let mut keys = keys();
    let mut second = tokio::time::interval(EVERY);
    second.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    second.tick().await;
    let stop = run::interrupted();
    tokio::pin!(stop);
    loop {
        match &seen {
            Ok(seen) => {
                let turned = if *view.reverse() { ", reversed" } else { "" };
                let foot = format!("q quit   s sort: {}{turned}   r reverse", view.sorted_by());
                screen.draw(&view.lines(seen), &foot)?;
            }
            Err(error) => {
                let told = Line(vec![(format!("{error:#}"), Mark::Bad)]);
                screen.draw(&[told], "q quit   asked again every second")?;
            }
        }
        tokio::select! {
            _ = &mut stop => return Ok(()),
            _ = second.tick() => seen = look().await,
            Some(key) = keys.recv() => match key {
                // In raw mode Ctrl-C is a key.
                b'q' | b'Q' | 3 => return Ok(()),
                b's' => view.sort_by_next(),
                b'r' => *view.reverse() = !*view.reverse(),
                _ => {}
            },
        }
    }
}

/// Keys as they are pressed. The thread ends with the process: a read cannot be called off.
fn keys() -> mpsc::Receiver<u8> {
    let (pressed, keys) = mpsc::channel(KEYS_MAX);
    if std::io::stdin().is_terminal() {
        std::thread::spawn(move || {
            let mut key = [0];
            while std::io::stdin().read_exact(&mut key).is_ok() {
                if let Err(mpsc::error::TrySendError::Closed(_)) = pressed.try_send(key[0]) {
                    return;
                }
            }
        });
    }
    keys
}
