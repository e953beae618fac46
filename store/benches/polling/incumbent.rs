//! A router of the kind in use: agents, tiers and members are tables, and a loop asks for each waiting member which agent of
//! its queue is available.
//!
//! One pass: all waiting members in the order of joining; for each one a statement that joins the queue's tiers with the
//! agents, the longest idle first; if somebody is found, the agent is reserved if still waiting, and the member is assigned.
//! What happens outside (a call ends, a caller comes or gives up) is a statement each. That is what `mod_callcenter` of
//! FreeSWITCH does with the same tables; `app_queue` of Asterisk walks lists in memory instead, each caller once a second.
//!
//! It is kinder to the incumbents than they are:
//!
//! - The database is in memory, without journal or synchronising, and nothing else is done: no call is made, no lock is shared.
//! - All columns that are looked for have an index, and statements are prepared once; as shipped there is no index, and each
//!   statement is text that is parsed again.
//! - A statement returns one agent who is free; as shipped it returns every agent of the queue and a callback looks at each.
//! - An agent is in five queues; the floor's agents fit whatever their eight skills open to them.
//! - A pass begins once a second of the house's own time, with all that came in that second (180 s a call), so one pass serves
//!   many; the incumbents pass ten times a second or each time that a caller asks. The time between passes is not counted.
//! - What SQLite is asked through a thread of its own costs a hop each time. It is measured with a statement that does nothing,
//!   and taken off.
//! - Where a pass takes longer than half a second its first part is measured, and the rest is taken to cost the same; whoever
//!   became free is taken to be served in it, without the statements for that.

use std::time::{Duration, Instant};

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use sqlx::{Connection, Executor, SqliteConnection};

use crate::house::Size;

/// Mean time of a call; it says how many agents become free in a second.
const TALK_S: u64 = 180;
/// Queues of one agent.
const QUEUES: u64 = 5;
const MEASURED: Duration = Duration::from_millis(1_500);
const PASS_MEASURED: Duration = Duration::from_millis(500);

const TABLES: &str = "
    PRAGMA synchronous = OFF; PRAGMA journal_mode = OFF; PRAGMA temp_store = MEMORY;
    CREATE TABLE agents (name INTEGER PRIMARY KEY, status TEXT, state TEXT, last_bridge_end INTEGER);
    CREATE TABLE tiers (queue INTEGER, agent INTEGER, state TEXT, level INTEGER, position INTEGER);
    CREATE INDEX tiers_queue ON tiers (queue);
    CREATE TABLE members (uuid INTEGER PRIMARY KEY, queue INTEGER, state TEXT, joined INTEGER, score INTEGER, serving INTEGER);
    CREATE INDEX members_state ON members (state);";
const NEXT_AGENT: &str = "
    SELECT agents.name FROM tiers JOIN agents ON agents.name = tiers.agent
    WHERE tiers.queue = ? AND tiers.state = 'Ready' AND agents.status = 'Available' AND agents.state = 'Waiting'
    ORDER BY tiers.level, agents.last_bridge_end, tiers.position LIMIT 1";

pub struct Incumbent {
    db: SqliteConnection,
    dice: ChaCha8Rng,
    size: Size,
    /// The next member, and the first who may still wait.
    next: i64,
    oldest: i64,
    /// Agents who talk.
    talking: Vec<i64>,
    /// What sending a statement to SQLite's thread costs.
    hop: Duration,
    statements: u32,
    events: u64,
}

pub struct Polled {
    pub events_per_s: f64,
    /// The last pass.
    pub pass: Duration,
    pub members_per_s: f64,
}

impl Incumbent {
    /// Everybody talks, and as many wait as there should.
    pub async fn open(size: &Size) -> Result<Self, sqlx::Error> {
        let mut db = SqliteConnection::connect("sqlite::memory:").await?;
        db.execute(TABLES).await?;
        let mut incumbent = Self {
            db,
            dice: ChaCha8Rng::seed_from_u64(7),
            size: *size,
            next: 0,
            oldest: 0,
            talking: (1..=size.agents as i64).collect(),
            hop: Duration::ZERO,
            statements: 0,
            events: 0,
        };
        incumbent.db.execute("BEGIN").await?;
        for agent in 1..=size.agents as i64 {
            incumbent
                .tell("INSERT INTO agents VALUES (?, 'Available', 'In a queue call', 0)", &[agent])
                .await?;
            for position in 0..QUEUES as i64 {
                let queue = incumbent.queue();
                let tier = "INSERT INTO tiers VALUES (?, ?, 'Ready', 1, ?)";
                incumbent.tell(tier, &[queue, agent, position]).await?;
            }
        }
        for _ in 0..size.waiting {
            incumbent.arrive().await?;
        }
        incumbent.db.execute("COMMIT").await?;
        let start = Instant::now();
        const HOPS: u32 = 5_000;
        for n in 0..HOPS {
            sqlx::query("SELECT ?").bind(n).fetch_optional(&mut incumbent.db).await?;
        }
        incumbent.hop = start.elapsed() / HOPS;
        Ok(incumbent)
    }

    /// Seconds of the house, one after the other, until enough is measured.
    pub async fn work(&mut self) -> Result<Polled, sqlx::Error> {
        let freed = (self.size.agents / TALK_S).max(1);
        let (mut took, mut pass, mut looked, mut passes) =
            (Duration::ZERO, Duration::ZERO, 0, Duration::ZERO);
        self.events = 0;
        while took < MEASURED {
            self.statements = 0;
            let start = Instant::now();
            for n in 0..freed {
                self.round(n as i64).await?;
            }
            took += self.net(start);
            let waiting = self.waiting().await?;
            let seen;
            (pass, seen) = self.pass(&waiting).await?;
            (looked, passes) = (looked + seen, passes + pass);
            if seen < waiting.len() {
                pass = pass.mul_f64(waiting.len() as f64 / seen as f64);
            }
            took += pass;
            // Whoever was freed has been given somebody, and that is taken.
            self.events += freed.min(waiting.len() as u64);
        }
        Ok(Polled {
            events_per_s: self.events as f64 / took.as_secs_f64(),
            pass,
            members_per_s: looked as f64 / passes.as_secs_f64(),
        })
    }

    /// A call ends and is completed; two callers come and one gives up, or one comes where nobody waits.
    async fn round(&mut self, now: i64) -> Result<(), sqlx::Error> {
        if !self.talking.is_empty() {
            let at = self.below(self.talking.len() as u64) as usize;
            let agent = self.talking.swap_remove(at);
            self.tell("UPDATE agents SET state = 'Idle' WHERE name = ?", &[agent]).await?;
            let free = "UPDATE agents SET state = 'Waiting', last_bridge_end = ? WHERE name = ?";
            self.tell(free, &[now, agent]).await?;
            self.events += 2;
        }
        self.arrive().await?;
        self.events += 1;
        if self.size.waiting > 0 {
            self.arrive().await?;
            self.tell("DELETE FROM members WHERE uuid = ?", &[self.oldest]).await?;
            self.oldest += 1;
            self.events += 2;
        }
        Ok(())
    }

    /// Looks at each member in its turn; how long that took, and at how many it looked.
    async fn pass(&mut self, waiting: &[(i64, i64)]) -> Result<(Duration, usize), sqlx::Error> {
        self.statements = 0;
        let start = Instant::now();
        let mut seen = 0;
        for &(member, queue) in waiting {
            seen += 1;
            self.statements += 1;
            let agent: Option<i64> =
                sqlx::query_scalar(NEXT_AGENT).bind(queue).fetch_optional(&mut self.db).await?;
            if let Some(agent) = agent {
                let reserve = "UPDATE agents SET state = 'Receiving' WHERE name = ? AND state = 'Waiting'";
                self.tell(reserve, &[agent]).await?;
                let assign = "UPDATE members SET state = 'Trying', serving = ? WHERE uuid = ?";
                self.tell(assign, &[agent, member]).await?;
                self.tell("UPDATE agents SET state = 'In a queue call' WHERE name = ?", &[agent]).await?;
                self.tell("DELETE FROM members WHERE uuid = ?", &[member]).await?;
                self.talking.push(agent);
            }
            if start.elapsed() > PASS_MEASURED {
                break;
            }
        }
        Ok((self.net(start), seen))
    }

    /// The list that a pass goes through. Reading it is not counted.
    async fn waiting(&mut self) -> Result<Vec<(i64, i64)>, sqlx::Error> {
        let list = "SELECT uuid, queue FROM members WHERE state = 'Waiting' ORDER BY joined - score";
        sqlx::query_as(list).fetch_all(&mut self.db).await
    }

    async fn arrive(&mut self) -> Result<(), sqlx::Error> {
        let queue = self.queue();
        self.next += 1;
        let member = "INSERT INTO members VALUES (?, ?, 'Waiting', ?, 0, NULL)";
        self.tell(member, &[self.next, queue, self.next]).await
    }

    async fn tell(&mut self, statement: &'static str, values: &[i64]) -> Result<(), sqlx::Error> {
        self.statements += 1;
        let mut query = sqlx::query(statement);
        for value in values {
            query = query.bind(*value);
        }
        query.execute(&mut self.db).await.map(drop)
    }

    /// The time since then without the hops.
    fn net(&self, start: Instant) -> Duration {
        let took = start.elapsed();
        // However fast the hops were this time, a statement takes some part of what was measured.
        took.saturating_sub(self.hop * self.statements).max(took / 10)
    }

    fn queue(&mut self) -> i64 {
        self.below(self.size.classes) as i64 + 1
    }

    fn below(&mut self, n: u64) -> u64 {
        self.dice.next_u64() % n
    }
}
