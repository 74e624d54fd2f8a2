//! `cargo xtask demo`: the guide's site on one machine, crashed again and again while a client keeps asking.

mod fault;
mod guide;
mod site;
mod story;
mod summary;
mod watch;

use anyhow::{Result, bail};
use clap::{Args, ValueEnum};
use vipd_tests::guide::Conf;
use vipd_tests::{Agent, Datapath, clean_up_when_interrupted};

use crate::build;
use fault::Fault;
use site::Site;
use story::Paint;

/// What the demo is told.
#[derive(Args)]
pub(crate) struct Options {
    /// Who keeps the virtual address.
    #[arg(long, value_enum, default_value_t = With::Vipd)]
    with: With,
    /// Advertisement interval: the guide's own, or a shorter one, for which adverts become version 3.
    #[arg(long, value_enum, default_value_t = Interval::Second)]
    advert: Interval,
    /// What goes wrong, in this order; everything if not given.
    #[arg(long = "fault", value_enum, value_delimiter = ',')]
    faults: Vec<Fault>,
}

#[derive(Clone, Copy, ValueEnum)]
enum With {
    /// vipd on both load balancers.
    Vipd,
    /// vipd on the first, Keepalived on the second.
    Keepalived,
    /// Keepalived on both.
    KeepalivedOnly,
}

#[derive(Clone, Copy, ValueEnum)]
enum Interval {
    #[value(name = "1s")]
    Second,
    #[value(name = "100ms")]
    Tenth,
    #[value(name = "10ms")]
    Hundredth,
}

impl With {
    fn agents(self) -> [Agent; 2] {
        let vipd = Agent::Vipd(Datapath::Auto);
        match self {
            Self::Vipd => [vipd, vipd],
            Self::Keepalived => [vipd, Agent::Keepalived],
            Self::KeepalivedOnly => [Agent::Keepalived, Agent::Keepalived],
        }
    }
}

impl Interval {
    /// The guide's configuration with this interval.
    fn apply(self, conf: Conf) -> Conf {
        match self {
            Self::Second => conf,
            Self::Tenth => conf.version_3().advert("0.1"),
            Self::Hundredth => conf.version_3().advert("0.01"),
        }
    }
}

/// Runs the demo.
///
/// # Errors
/// If vipd or the site cannot be built, or a takeover did not come.
pub(crate) fn run(options: &Options) -> Result<()> {
    if !matches!(options.with, With::Keepalived) {
        build::for_lab(false)?;
    }
    clean_up_when_interrupted()?;
    let paint = Paint::for_terminal();
    let agents = options.with.agents();
    println!("{}", paint.bold("Three application servers, two load balancers, a client, a switch."));
    println!("lb1 runs {}, priority 110; lb2 runs {}, priority 100.", agents[0], agents[1]);
    println!(
        "Each fault comes just after an advert, so that the backup has to wait as long as it ever has to."
    );
    let confs = [options.advert.apply(Conf::lb1()), options.advert.apply(Conf::lb2())];
    let mut site = Site::open(agents, confs)?;
    let faults = if options.faults.is_empty() { Fault::value_variants() } else { &options.faults };
    // Only vipd has checks of its own.
    let only_vipd = matches!(options.with, With::Vipd);
    let faults = faults.iter().filter(|fault| only_vipd || fault.confs().is_none());
    let mut chapters = Vec::new();
    for &fault in faults {
        let chapter = story::tell(&mut site, fault, paint)?;
        let came = chapter.came;
        chapters.push(chapter);
        if !came {
            break;
        }
    }
    summary::print(&chapters, paint);
    if chapters.iter().any(|chapter| !chapter.came) {
        bail!("a takeover did not come");
    }
    Ok(())
}
