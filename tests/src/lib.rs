//! The lab of vipd: whole machines and switches made of namespaces, on one Linux box, for tests that need several
//! parts at once, for the demo and for measurements.
//!
//! A [`Lab`] makes [`Host`]s and [`Switch`]es and plugs them together. Real programs run on the hosts
//! ([`Process`], [`Agent`], [`services`]), faults are made at the switch ([`Port`]) or by signals, and observers that
//! share no code with vipd look on ([`Tap`], [`Asker`], [`facts`], [`http`], [`probe`], [`procs`]). Everything needs root.
//!
//! Nothing of a lab outlives the process that made it, however that process ends: namespaces hang on their first
//! process, and that one ends when the pipe from its maker closes.

mod agent;
mod asker;
mod dir;
pub mod facts;
mod flood;
pub mod forge;
pub mod frame;
mod frr;
pub mod guide;
mod host;
pub mod http;
mod lab;
mod lan;
mod metronome;
mod objects;
mod pair;
pub mod probe;
mod process;
pub mod procs;
pub mod receivers;
mod rtnl;
pub mod services;
mod settings;
mod signals;
mod stuck;
mod switch;
mod tap;
mod time;
mod tshark;
mod wire;

pub use agent::{
    Agent, Datapath, Running, instrumented_vipd, start_talkative_vipd, start_vipd_by, use_vipd, vipd_binary,
};
pub use asker::{Asker, Reply};
pub use flood::Flood;
pub use host::Host;
pub use lab::Lab;
pub use lan::{Family, Lan, Make, Router};
pub use metronome::Metronome;
pub use objects::{Kind, Object};
pub use pair::{Balancer, Pair, Services};
pub use process::{Line, Process};
pub use rtnl::{Change, Rtnl};
pub use settings::Settings;
pub use signals::clean_up_when_interrupted;
pub use stuck::DeadFiles;
pub use switch::{Port, Switch};
pub use tap::{Direction, Frame, Tap};
pub use time::Moment;
