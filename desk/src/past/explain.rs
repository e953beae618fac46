//! Why an interaction waits, rings or rang where it does: asked of the floor as it is, or of the floor as it was.

use model::id::{InteractionId, OfferToken, UserId};
use model::journal::{Event, Seq};
use model::time::Timestamp;

use super::explanation::{ExplanationView, OfferedView};
use super::{Past, PastError};
use crate::metrics::offer_end_name;
use crate::refusal::Refusal;
use crate::start::DeskHandle;
use crate::trouble::read;

/// Entries that are looked through for the story of one interaction: an hour of a very busy floor.
const STORY_MAX: usize = 200_000;
/// Interactions explained at once.
pub const WAITING_MAX: usize = 100;

/// The moment that is asked about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// As it is; of an interaction that is over its last offer, or its end when it was never offered.
    Now,
    /// Just before it was offered the nth time, from 1: whom the floor chose among whom.
    Offer(u32),
    /// The same, of the last offer.
    LastOffer,
    /// As it was at a moment.
    At(Timestamp),
}

/// An offer of the past.
struct Offered {
    seq: Seq,
    at: Timestamp,
    agent: UserId,
    token: OfferToken,
    end: Option<(Timestamp, &'static str)>,
}

/// What the journal tells of an interaction.
#[derive(Default)]
struct Story {
    offers: Vec<Offered>,
    ended: Option<Seq>,
}

impl DeskHandle {
    /// Explains an interaction.
    pub async fn explain(&self, interaction: InteractionId, when: When) -> Result<ExplanationView, Refusal> {
        let config = self.configuration();
        if when == When::Now {
            let live = self.read(move |core, _| core.floor().explain(interaction)).await?;
            if let Some(live) = live {
                return Ok(ExplanationView::of(&live, &config));
            }
        }
        let record = self.store().records().record(self.tenant(), interaction).await.map_err(read)?;
        let record = record.ok_or(Refusal::missing("interaction"))?;
        let _turn = self.0.looking_back.lock().await;
        let past = Past::of(self.store(), self.tenant());
        let story = past.story(interaction, record.arrived_at).await.map_err(failed)?;
        let wanted = match when {
            When::Offer(number) => (number as usize).checked_sub(1).and_then(|n| story.offers.get(n)),
            When::Now | When::LastOffer => story.offers.last(),
            When::At(_) => None,
        };
        let (before, at) = match (wanted, when) {
            (Some(offer), _) => (offer.seq, offer.at),
            (None, When::At(at)) => {
                // Everything of that very moment has happened.
                (past.seq_at(Timestamp::from_micros(at.micros() + 1)).await.map_err(failed)?, at)
            }
            (None, When::Now) => match (story.ended, record.ended_at) {
                (Some(seq), Some(at)) => (seq, at),
                _ => return Err(Refusal::missing("interaction")),
            },
            (None, _) => return Err(Refusal::missing("offer")),
        };
        let mut floor = past.floor_before(before, &config).await.map_err(failed)?;
        floor.stand_at(at);
        let why = floor.explain(interaction).ok_or(Refusal::missing("interaction at that moment"))?;
        let mut view = ExplanationView::of(&why, &config);
        view.offers =
            story.offers.iter().zip(1..).map(|(offer, number)| offer.view(number, &config)).collect();
        if let Some(offer) = wanted {
            view.chosen = Some(ExplanationView::name(offer.agent, &config));
            view.rederived = Some(why.candidates.first().is_some_and(|first| first.agent == offer.agent));
        }
        Ok(view)
    }

    /// Explains those who wait or are rung for, longest wait first; at most [`WAITING_MAX`].
    pub async fn explain_waiting(&self) -> Result<Vec<ExplanationView>, Refusal> {
        let config = self.configuration();
        let found = self.read(|core, _| {
            let waiting = core.waiting().into_iter().take(WAITING_MAX);
            waiting.filter_map(|interaction| core.floor().explain(interaction)).collect::<Vec<_>>()
        });
        Ok(found.await?.iter().map(|why| ExplanationView::of(why, &config)).collect())
    }
}

impl Past {
    /// The offers of an interaction and where it ended, as far as the journal tells within [`STORY_MAX`] entries.
    async fn story(&self, interaction: InteractionId, arrived: Timestamp) -> Result<Story, PastError> {
        let mut story = Story::default();
        let mut next = self.seq_at(arrived).await?;
        let mut seen = 0;
        while seen < STORY_MAX {
            let page = self.read(next).await?;
            let Some(last) = page.last() else { break };
            next = Seq(last.seq.0 + 1);
            seen += page.len();
            for entry in page.iter().filter(|entry| entry.event.interaction() == Some(interaction)) {
                match &entry.event {
                    Event::Offered { agent, token, .. } => story.offers.push(Offered {
                        seq: entry.seq,
                        at: entry.at,
                        agent: *agent,
                        token: *token,
                        end: None,
                    }),
                    Event::Accepted { agent, token, .. } => story.end((*agent, *token), entry.at, "accepted"),
                    Event::OfferEnded { agent, token, why, .. } => {
                        story.end((*agent, *token), entry.at, offer_end_name(*why));
                    }
                    Event::Ended { .. } => {
                        story.ended = Some(entry.seq);
                        return Ok(story);
                    }
                    _ => {}
                }
            }
        }
        Ok(story)
    }
}

impl Story {
    fn end(&mut self, (agent, token): (UserId, OfferToken), at: Timestamp, how: &'static str) {
        let offer = self.offers.iter_mut().rev().find(|offer| offer.agent == agent && offer.token == token);
        if let Some(offer) = offer {
            offer.end = Some((at, how));
        }
    }
}

impl Offered {
    fn view(&self, number: u32, config: &crate::configuration::Configuration) -> OfferedView {
        OfferedView {
            number,
            at: self.at.millis(),
            agent: ExplanationView::name(self.agent, config),
            ended_at: self.end.map(|(at, _)| at.millis()),
            result: self.end.map(|(_, how)| how),
        }
    }
}

fn failed(error: PastError) -> Refusal {
    match error {
        PastError::Store(error) => read(error),
        other => {
            tracing::error!(error = %other, "the past cannot be told");
            Refusal::Unavailable
        }
    }
}
