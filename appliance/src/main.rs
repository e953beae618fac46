//! The binary: configuration, command line, wiring and supervision.
#![forbid(unsafe_code)]

mod ask;
mod cli;
mod clock;
mod config;
mod demo;
mod doctor;
mod explain;
mod finisher;
mod init;
mod legs;
mod logging;
mod media;
mod metrics;
mod queues;
mod recordings;
mod replay;
mod run;
mod secret;
mod seed;
mod sounds;
mod systems;
mod tls;
mod top;
mod trace;
mod users;
mod when;

use std::process::ExitCode;

use anyhow::Result;
use clap::Parser;

use crate::cli::{Cli, Command, MediaCommand};
use crate::config::{Config, LogFile};
use crate::media::settings::Settings;

fn main() -> ExitCode {
    let cli = Cli::parse();
    tls::install_provider();
    match dispatch(cli.command) {
        Ok(code) => code,
        Err(error) => {
            // The chain of causes on one line each, outermost first: what failed, then why.
            eprintln!("patchbay: {error}");
            error.chain().skip(1).for_each(|cause| eprintln!("  because: {cause}"));
            ExitCode::FAILURE
        }
    }
}

fn dispatch(command: Command) -> Result<ExitCode> {
    match command {
        Command::Init { config, data_dir, tenant, admin } => {
            block_on(init::init(&config.config, data_dir.as_deref(), &tenant, &admin))?;
        }
        Command::Run { config } => {
            let file = config.config;
            let config = Config::read(&file)?;
            let level = logging::start(&config.log)?;
            block_on(run::run(config, Some(file), level))?;
        }
        Command::Demo { listen, https_port, sip_port, media_port, every } => {
            let ports = demo::Ports { listen, https: https_port, sip: sip_port, media: media_port };
            block_on(demo::demo(ports, every))?;
        }
        Command::CheckConfig { config, print } => {
            let checked = Config::read(&config.config)?;
            systems::HttpSystems::new(&checked.flows)?;
            println!("{} is good.", config.config.display());
            if print {
                println!("{checked:#?}");
            }
        }
        Command::User { config, command } => block_on(users::run(&Config::read(&config.config)?, command))?,
        Command::Status { ask } => block_on(ask::status(&Config::read(&ask.config.config)?, ask.json))?,
        Command::Calls { ask } => block_on(ask::calls(&Config::read(&ask.config.config)?, ask.json))?,
        Command::Queues(args) => block_on(queues::queues(args))?,
        Command::Replay(args) => return block_on(replay::replay(args, clock::now())),
        Command::Trace(args) => block_on(trace::trace(&args))?,
        Command::Explain(args) => block_on(explain::explain(&args, clock::now()))?,
        Command::Recording { config, media, command } => {
            let place = match media {
                Some(file) => media::settings::recordings(&file)?,
                None => recordings::Place::of(&Config::read(&config.config)?),
            };
            return recordings::run(&place, command);
        }
        Command::Media(args) => {
            if let Some(MediaCommand::Top(args)) = args.command {
                block_on(top::top(args))?;
                return Ok(ExitCode::SUCCESS);
            }
            if args.print_defaults {
                print!("{}", media::settings::DEFAULT_FILE);
                return Ok(ExitCode::SUCCESS);
            }
            let settings = Settings::read(&args)?;
            if args.check_config {
                media::check(&settings)?;
                println!("The media node's configuration is good.");
                return Ok(ExitCode::SUCCESS);
            }
            let (format, level) = (settings.log.format, settings.log.level.clone());
            logging::start(&LogFile { format, level, ..LogFile::default() })?;
            block_on(media::run(settings))?;
        }
        Command::Doctor { config } => return block_on(doctor::doctor(&config.config)),
    }
    Ok(ExitCode::SUCCESS)
}

fn block_on<T>(work: impl Future<Output = Result<T>>) -> Result<T> {
    tokio::runtime::Builder::new_multi_thread().enable_all().thread_name("patchbay").build()?.block_on(work)
}
