//! `luytre-console`: arguments, configuration, log, run, exit code.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use clap::{Parser, Subcommand, ValueEnum};
use luytre_console::app::App;
use luytre_console::clock::SystemClock;
use luytre_console::model::Role;
use luytre_console::settings::Settings;
use luytre_console::store::chain::KnownHead;
use luytre_console::{api, commands, server, tls};

/// People in, decisions out: the console of Lũy Tre.
#[derive(Parser)]
#[command(name = "luytre-console", version, about, disable_help_subcommand = true)]
struct Arguments {
    /// Configuration file (TOML); everything has a default.
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Data directory.
    #[arg(long, global = true, value_name = "DIR", default_value = "/var/lib/luytre/console")]
    data: PathBuf,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Serve the console.
    Run,
    /// Print a new one-time link for the first administrator.
    SetupLink,
    /// Add and list users, make links for them.
    #[command(subcommand)]
    User(UserCommand),
    /// Verify the log without a running console: names the first line that was changed, removed, swapped or put in.
    Verify {
        /// The database; `console.db` in the data directory where it is missing.
        #[arg(long, value_name = "FILE")]
        database: Option<PathBuf>,
        /// A head that was noted earlier, as the console shows it; finds a log that was rewritten or shortened.
        #[arg(long, value_name = "NUMBER:DIGEST")]
        head: Option<KnownHead>,
        /// Also write each line's digest and text to a file, for checks with other programs.
        #[arg(long, value_name = "FILE")]
        export: Option<PathBuf>,
    },
    /// Look whether configuration, data, collector, mail server and press are well.
    Check,
    /// Print the description of the REST interface.
    Openapi,
    /// Print the version.
    Version,
}

#[derive(Subcommand)]
enum UserCommand {
    /// Add a user and print the one-time link with which they set their password.
    Add {
        /// The name to log in with.
        name: String,
        /// What they may do.
        #[arg(long)]
        role: RoleArgument,
        /// The name people call them by; the log-in name where it is missing.
        #[arg(long)]
        display_name: Option<String>,
    },
    /// Print a new one-time link for a user, who sets a new password with it.
    Link {
        /// The user.
        name: String,
    },
    /// List all users.
    List,
}

#[derive(Clone, Copy, ValueEnum)]
enum RoleArgument {
    Analyst,
    Manager,
    Agency,
    Auditor,
    Admin,
}

impl From<RoleArgument> for Role {
    fn from(role: RoleArgument) -> Role {
        match role {
            RoleArgument::Analyst => Role::Analyst,
            RoleArgument::Manager => Role::Manager,
            RoleArgument::Agency => Role::Agency,
            RoleArgument::Auditor => Role::Auditor,
            RoleArgument::Admin => Role::Admin,
        }
    }
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match arguments.command {
        Command::Openapi => {
            print!("{}", api::document());
            return ExitCode::SUCCESS;
        }
        Command::Version => {
            println!("luytre-console {}", env!("CARGO_PKG_VERSION"));
            return ExitCode::SUCCESS;
        }
        _ => {}
    }
    let settings: Settings = match luytre_settings::load(arguments.config.as_deref()) {
        Ok(settings) => settings,
        Err(error) => {
            eprintln!("luytre-console: {error}");
            return ExitCode::from(2);
        }
    };
    luytre_settings::start_log();
    tls::install_provider();
    let done = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(anyhow::Error::from)
        .and_then(|runtime| runtime.block_on(work(arguments, settings)));
    match done {
        Ok(code) => code,
        Err(error) => {
            eprintln!("luytre-console: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn work(arguments: Arguments, settings: Settings) -> anyhow::Result<ExitCode> {
    if let Command::Verify { database, head, export } = arguments.command {
        let database = database.unwrap_or_else(|| arguments.data.join("console.db"));
        return commands::verify(&database, head.as_ref(), export.as_deref()).await;
    }
    let app = App::open(settings, &arguments.data, Arc::new(SystemClock)).await?;
    match arguments.command {
        Command::Run => server::run(app, &arguments.data).await?,
        Command::SetupLink => commands::setup_link(&app).await?,
        Command::User(UserCommand::Add { name, role, display_name }) => {
            commands::add_user(&app, name, role.into(), display_name).await?;
        }
        Command::User(UserCommand::Link { name }) => commands::user_link(&app, &name).await?,
        Command::User(UserCommand::List) => commands::list_users(&app).await?,
        Command::Check => return commands::check(&app).await,
        Command::Verify { .. } | Command::Openapi | Command::Version => {}
    }
    Ok(ExitCode::SUCCESS)
}
