//! How photos are prepared and how weights are licensed, as the files beside a checkpoint tell it.

use crate::failure::Failure;
use crate::output::say;
use crate::small_files::SmallFiles;
use checkpoint::Settings;
use checkpoint::hub_config::{self, CARD, FILES};

/// Fills in what the settings leave open, and tells what came from where.
pub fn fill_in(settings: &mut Settings, files: &SmallFiles<'_>) -> Result<(), Failure> {
    for name in FILES {
        let is_told = settings.short_side.is_some() || settings.crop.is_some();
        if settings.mean.is_some() && settings.std.is_some() && is_told {
            break;
        }
        let Some(bytes) = files.read(name)? else { continue };
        let config = hub_config::parse(name, &bytes).map_err(|reason| refusal(name, &reason))?;
        let taken = config.apply(settings);
        if !taken.is_empty() {
            say(&format!("{} from {name}", listed(&taken)));
        }
    }
    if settings.license.is_none() {
        settings.license = files.read(CARD)?.and_then(|card| hub_config::license_of_card(&card));
        if let Some(license) = &settings.license {
            say(&format!("license {license} from {CARD}"));
        }
    }
    Ok(())
}

fn refusal(name: &str, reason: &str) -> Failure {
    Failure::Data(format!(
        "{name} beside the checkpoint can't be followed: {reason}. To convert without it, give --mean, --std and \
         --short-side"
    ))
}

/// `mean, std and crop`
fn listed(names: &[&str]) -> String {
    match names {
        [names @ .., last] if !names.is_empty() => format!("{} and {last}", names.join(", ")),
        names => names.concat(),
    }
}
