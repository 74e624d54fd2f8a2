//! Resigning for an election thread that is gone.

use vipd_core::{InstanceId, State};

use super::board::Board;
use super::frames::{Advert, Frames};
use super::plan::Planned;
use crate::effects::Transmitter;

/// Sends priority 0 for every virtual router that was MASTER when it was published last.
pub(crate) fn resign(planned: &[Planned], board: &Board, transmitter: &mut Transmitter<()>) {
    for (id, planned) in (0..).map(InstanceId).zip(planned) {
        let master = board.snapshot(id).is_some_and(|snapshot| snapshot.status.state == State::Master);
        if !master {
            continue;
        }
        let name = &planned.config.name;
        match Frames::new(planned) {
            Ok(mut frames) => {
                for advert in frames.adverts(0) {
                    match advert {
                        Advert::Group { ifindex, frame } => transmitter.queue(*ifindex, frame, ()),
                        Advert::Peer { peer, packet } => drop(transmitter.packet(*peer, packet)),
                    }
                }
            }
            Err(error) => tracing::error!("({name}) cannot resign: {error}"),
        }
    }
    transmitter.flush(|(), outcome| match outcome {
        Ok(()) => tracing::info!("resigned"),
        Err(error) => tracing::error!("cannot resign: {error}"),
    });
}
