//! The terminal: drawn anew every second, keys in between.

use std::io::{IsTerminal, Read, Write};

use anyhow::Result;
use control_api::wire::legs::MediaLegs;
use crossterm::style::Stylize;
use crossterm::{cursor, execute, queue, style, terminal};
use tokio::sync::mpsc;

use super::pick::Pick;
use super::table::{self, Line, Mark};
use super::{EVERY, Source};
use crate::run;

/// A key that waits to be seen; more are not kept.
const KEYS_MAX: usize = 16;

/// The terminal as a screen of ours; as it was when dropped.
pub struct Screen {
    colours: bool,
}

impl Screen {
    /// Takes the terminal over.
    pub fn open() -> Result<Self> {
        terminal::enable_raw_mode()?;
        let screen = Self { colours: std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty()) };
        execute!(std::io::stdout(), terminal::EnterAlternateScreen, cursor::Hide)?;
        Ok(screen)
    }

    /// Draws lines with a foot; what does not fit is counted.
    pub fn draw(&self, lines: &[Line], foot: &str) -> Result<()> {
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

/// Shows legs until `q`, Ctrl-C or a signal.
pub(super) async fn run(source: &Source, mut pick: Pick) -> Result<()> {
    // The first look decides whether there is anything to look at; its error is told on the terminal as it was.
    let mut seen = Ok(source.read().await?);
    let screen = Screen::open()?;
    let mut keys = keys();
    let mut second = tokio::time::interval(EVERY);
    second.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    second.tick().await;
    let stop = run::interrupted();
    tokio::pin!(stop);
    loop {
        let foot = format!(
            "q quit   s sort: {}{}   r reverse",
            pick.sort.name(),
            if pick.reverse { ", reversed" } else { "" }
        );
        match &seen {
            Ok(seen) => screen.draw(&table::lines(&pick.of(MediaLegs::clone(seen))), &foot)?,
            Err(error) => {
                let told = Line(vec![(format!("{error:#}"), Mark::Bad)]);
                screen.draw(&[told], "q quit   asked again every second")?;
            }
        }
        tokio::select! {
            _ = &mut stop => return Ok(()),
            _ = second.tick() => seen = source.read().await,
            Some(key) = keys.recv() => match key {
                // In raw mode Ctrl-C is a key.
                b'q' | b'Q' | 3 => return Ok(()),
                b's' => pick.sort = pick.sort.next(),
                b'r' => pick.reverse = !pick.reverse,
                _ => {}
            },
        }
    }
}

/// Keys as they are pressed. The thread ends with the process: a read cannot be called off.
pub fn keys() -> mpsc::Receiver<u8> {
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
