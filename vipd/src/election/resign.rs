//! Resigning for an election thread that is gone.

use vipd_core::{InstanceId, State};

use super::board::Board;
use super::frames::Frames;
use super::plan::Planned;
use crate::effects::Transmitter;

/// Sends priority 0 for every virtual router that was MASTER when it was published last.
pub(crate) fn resign(planned: &[Planned], board: &Board, transmitter: &Transmitter) {
    for (id, planned) in (0..).map(InstanceId).zip(planned) {
        let master = board.snapshot(id).is_some_and(|snapshot| snapshot.status.state == State::Master);
        if !master {
            continue;
        }
        let name = &planned.config.name;
        match Frames::new(planned).map(|mut frames| frames.send_advert(0, transmitter)) {
            Ok(Ok(())) => tracing::info!("({name}) resigned"),
            Ok(Err(error)) => tracing::error!("({name}) cannot resign: {error}"),
            Err(error) => tracing::error!("({name}) cannot resign: {error}"),
        }
    }
}
