//! What an import would fetch and keep: looked up before anything is asked of the visitor.

use super::fault::{Failure, Hub, of_checkpoint};
use super::hub_files::{self, Repository};
use super::pieces::Pieces;
use super::read_file::PART_BYTES;
use crate::platform::{Bytes, Caching, Get, Photo, Platform};
use crate::store::Store;
use beit::config::Config;
use checkpoint::hub_config::{self, Taken};
use checkpoint::{Quantization, Settings, StreamingConversion};
use protocol::Kept;
use protocol::import::{Hubs, ImportFault, ImportOffer, ImportPreprocessing, ImportSource};

/// A file whose first part of this length does not describe its tensors is no checkpoint.
const MAX_BEGINNING_BYTES: u64 = 128 << 20;

/// Looks up what this import would fetch and keep.
pub async fn inspect<P: Platform>(
    platform: &P,
    source: ImportSource,
    hubs: &Hubs,
    file: Option<&P::Photo>,
) -> Result<ImportOffer, ImportFault> {
    let quantization: Quantization =
        source.quantization.parse().map_err(|reason| ImportFault::Format { reason })?;
    let store = Store::open(platform).await;
    if store.kept() == Kept::NoStorage {
        return Err(ImportFault::NoStorage);
    }
    let settings = Settings::new(quantization);
    let mut offer = match source.checkpoint.strip_prefix("file:") {
        Some(name) => of_file::<P>(&source, name, file, settings).await?,
        None => of_hub(platform, &source, hubs, settings).await?,
    };
    let pieces = Pieces::open(&store, platform, &offer).await;
    offer.resumed_bytes = pieces.file_bytes();
    // When the shards are written and there is no room beside them, the pieces go first.
    let needed = offer.kept_bytes.saturating_sub(pieces.bytes());
    offer.missing_bytes = store.room().await.map_or(0, |room| needed.saturating_sub(room));
    Ok(offer)
}

/// A checkpoint on the visitor's disk.
async fn of_file<P: Platform>(
    source: &ImportSource,
    name: &str,
    file: Option<&P::Photo>,
    settings: Settings,
) -> Result<ImportOffer, ImportFault> {
    let unreadable = || ImportFault::Unreadable { file: name.into() };
    let file = file.ok_or_else(unreadable)?;
    let mut beginning = Beginning::new(name, "", &settings)?;
    let length = file.length();
    while !beginning.is_whole() {
        let part = PART_BYTES.min(length.saturating_sub(beginning.read));
        let bytes = file.read_part(beginning.read, part).await.ok_or_else(unreadable)?;
        beginning.push(&bytes)?;
        bytes.free();
    }
    let Described { config, model_bytes, .. } = beginning.finish()?;
    let told = Told { license: None, from: None };
    Ok(offer(source, name, length, &config, model_bytes, told))
}

/// A checkpoint on a hub.
async fn of_hub<P: Platform>(
    platform: &P,
    source: &ImportSource,
    hubs: &Hubs,
    mut settings: Settings,
) -> Result<ImportOffer, ImportFault> {
    let repository = Repository::list(platform, &source.checkpoint, hubs).await?;
    let file = repository.checkpoint()?;
    settings.name = Some(repository.name().into());
    let from = read_configs(platform, &repository, &file.path, &mut settings).await?;
    let url = repository.address(&file.path);
    let (Described { config, model_bytes, file_bytes }, answered) =
        described(platform, &repository.hub, &url, &file.path, &settings).await?;
    let length = file
        .size
        .or(file_bytes)
        .or(answered)
        .ok_or_else(|| repository.hub.answer("it does not say how long the file is"))?;
    if let Some(header) = file_bytes.filter(|header| *header != length) {
        let reason = format!("it has {length} bytes, and its header tells of {header}");
        return Err(ImportFault::Format { reason });
    }
    let told = Told { license: settings.license, from };
    let Hub { host, page, .. } = repository.hub.clone();
    let sha256 = file.sha256().map(str::to_owned);
    let offer = offer(source, &file.path, length, &config, model_bytes, told);
    Ok(ImportOffer { url, host, page, sha256, ..offer })
}

/// Takes preparation and licence from the small files beside the checkpoint, as the command line does. Gives the name of
/// the file that told the preparation.
async fn read_configs<P: Platform>(
    platform: &P,
    repository: &Repository,
    checkpoint: &str,
    settings: &mut Settings,
) -> Result<Option<String>, ImportFault> {
    let folder = checkpoint.rsplit_once('/').map(|(folder, _)| format!("{folder}/")).unwrap_or_default();
    let read = async |name: &'static str| {
        repository.read(platform, &format!("{folder}{name}"), hub_config::MAX_BYTES).await
    };
    let refuse = |name: &str, reason: &str| repository.hub.answer(format!("{name}: {reason}"));
    let taken = hub_config::fill_in(settings, read, refuse).await?;
    Ok(taken.into_iter().find(Taken::is_preparation).map(|taken| taken.file.to_owned()))
}

/// The checkpoint's beginning, by one plain GET that is dropped then; and the file's length, as the answer tells it.
async fn described<P: Platform>(
    platform: &P,
    hub: &Hub,
    url: &str,
    file: &str,
    settings: &Settings,
) -> Result<(Described, Option<u64>), ImportFault> {
    let attempt = async || described_once(platform, hub, url, file, settings).await;
    hub_files::with_retries(platform, hub, attempt).await
}

async fn described_once<P: Platform>(
    platform: &P,
    hub: &Hub,
    url: &str,
    file: &str,
    settings: &Settings,
) -> Result<(Described, Option<u64>), Failure> {
    let request = Get { url, from: 0, length: None, caching: Caching::NotKept };
    let mut response = hub_files::get(platform, hub, request).await?;
    let mut beginning = Beginning::new(file, &hub.host, settings)?;
    while !beginning.is_whole() {
        match hub_files::next(platform, &mut response.body).await? {
            Some(part) => {
                beginning.push(&part)?;
                part.free();
            }
            None if response.length.is_some_and(|length| beginning.read < length) => {
                return Err(Failure::lost("the connection was closed"));
            }
            None => break,
        }
    }
    Ok((beginning.finish()?, response.length))
}

/// A checkpoint's first bytes.
struct Beginning<'a> {
    conversion: StreamingConversion,
    host: &'a str,
    read: u64,
    ended: bool,
}

/// What a checkpoint's beginning says of it.
struct Described {
    config: Config,
    model_bytes: u64,
    file_bytes: Option<u64>,
}

impl<'a> Beginning<'a> {
    fn new(file: &str, host: &'a str, settings: &Settings) -> Result<Self, ImportFault> {
        let conversion = StreamingConversion::new(file, settings.clone(), None);
        let conversion = conversion.map_err(|error| of_checkpoint(error, host))?;
        Ok(Self { conversion, host, read: 0, ended: false })
    }

    /// Whether no more is needed, or there is no more.
    fn is_whole(&self) -> bool {
        self.conversion.config().is_some() || self.ended
    }

    fn push(&mut self, part: &impl Bytes) -> Result<(), ImportFault> {
        self.ended = part.length() == 0 || self.read > MAX_BEGINNING_BYTES;
        self.read += part.length();
        let pushed = self.conversion.push(&part.to_vec());
        pushed.map_err(|error| of_checkpoint(error, self.host))
    }

    fn finish(self) -> Result<Described, ImportFault> {
        let (Some(config), Some(model_bytes)) =
            (self.conversion.config().cloned(), self.conversion.model_bytes())
        else {
            // It says itself what is missing.
            let error = self.conversion.finish(None).err();
            let unknown = || ImportFault::Format { reason: "it does not say which tensors it has".into() };
            return Err(error.map_or_else(unknown, |error| of_checkpoint(error, self.host)));
        };
        Ok(Described { config, model_bytes, file_bytes: self.conversion.file_bytes() })
    }
}

/// What the hub's small files told.
struct Told {
    license: Option<String>,
    /// The file that told how photos are prepared.
    from: Option<String>,
}

fn offer(
    source: &ImportSource,
    file: &str,
    download_bytes: u64,
    config: &Config,
    kept_bytes: u64,
    told: Told,
) -> ImportOffer {
    let preprocessing = &config.preprocessing;
    ImportOffer {
        source: source.clone(),
        url: String::new(),
        host: String::new(),
        page: String::new(),
        file: file.into(),
        name: config.name.clone(),
        license: told.license,
        download_bytes,
        kept_bytes,
        resumed_bytes: 0,
        missing_bytes: 0,
        sha256: None,
        parameters: config.parameters(),
        classes: config.classes as u64,
        image_size: config.image_size as u64,
        preprocessing: ImportPreprocessing {
            short_side: preprocessing.short_side as u64,
            mean: preprocessing.mean,
            std: preprocessing.std,
            from: told.from,
        },
    }
}
