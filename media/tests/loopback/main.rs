//! The media plane on the loopback, once over io_uring and once over mmsg: real sockets, real threads.
#![expect(clippy::unwrap_used, reason = "fixtures of tests; the lint knows only functions marked as tests")]

mod abuse;
mod attacks;
mod browsers;
mod commands;
mod digits;
mod guests;
mod moves;
mod party;
mod passed;
mod recordings;
mod relay;
mod reports;
mod rooms;
mod sounds;
mod troubles;
mod video;
mod voices;
mod world;

/// Runs a scenario with each driver.
#[macro_export]
macro_rules! both_drivers {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        mod $name {
            use media::driver::DriverChoice;
            #[tokio::test]
            async fn uring() {
                super::$name(DriverChoice::Uring).await;
            }
            #[tokio::test]
            async fn mmsg() {
                super::$name(DriverChoice::Mmsg).await;
            }
        }
    )*};
}
