//! Why: one way to put a terminal together out of its configuration, for the field, for the window
//! on a desk and for the headless demonstration alike.
//!
//! Refuses: to start with a catalogue that has a hole or a configuration it does not understand.
//! Devices and network may be missing: that is degraded, not refused.

use std::path::Path;
use std::rc::Rc;
use std::sync::mpsc::{Receiver, channel};

use anyhow::Context as _;
use catalog::Catalog;
use hal::glyphs::GlyphSource;
use hal::profile::DeviceProfile;
use hal::watchdog::Heartbeat;
use provisioning::{KioskConfig, keygen};
use tokio::runtime::Handle;
use ui::Screen;

use crate::core::{Event, World};
use crate::link::{Backoff, GatewayClient, HOURLY, OfficeKeys, Uploader, UploaderEvent, follow};
use crate::queue::{self, ReceiptTrust};
use crate::runtime::{
    Clock, DeviceHub, Hands, Inbox, Message, PageReader, Runtime, Sealer, Terminal, fitted, send,
    writer,
};

/// A terminal and the receiving end of its one channel.
pub struct Assembled {
    /// The terminal.
    pub runtime: Runtime,
    /// What it has to handle.
    pub messages: Receiver<Message>,
    /// What happened to the queue while it was off.
    pub reconciliation: queue::Reconciliation,
}

/// Reads the catalogue that a configuration names; the error names file and line.
pub fn load_catalog(config: &KioskConfig) -> anyhow::Result<Catalog> {
    Catalog::load(&config.site.catalog)
        .with_context(|| format!("the catalogue in {} has holes", config.site.catalog.display()))
}

/// Puts a terminal together. `screen` is made by the caller, because its intents need the inbox.
pub fn assemble(
    config_path: &Path,
    clock: Clock,
    backoff: Backoff,
    tokio: &Handle,
    make_screen: impl FnOnce(Inbox) -> anyhow::Result<Rc<Screen>>,
) -> anyhow::Result<Assembled> {
    let config = KioskConfig::load(config_path)?;
    let profile = DeviceProfile::load(&config.devices)?;
    let catalog = load_catalog(&config)?;
    // The first letters that somebody looks a place up by find everything ready.
    let regions = catalog.regions().clone();
    tokio.spawn_blocking(move || regions.prepare());
    let (device, _) = keygen::load(&config.gateway.key)?;
    let device_id = device.device_id();
    let identity = config.gateway_identity()?;
    let (inbox, messages) = channel();

    let (queue, reconciliation) = queue::spawn(&config.storage.dir, config.storage.quota_bytes)?;
    if reconciliation.quarantined > 0 {
        tracing::error!(count = reconciliation.quarantined, "damaged submissions were set aside");
    }
    // A terminal whose link is unusable still takes submissions; staff sees the reason.
    let client = GatewayClient::new(&config, device_id)
        .inspect_err(|error| tracing::error!(code = error.code(), "no link: {error}"))
        .ok();
    let office = OfficeKeys::open(&config.storage.dir, &identity);
    if let Some(client) = client.clone() {
        let _guard = tokio.enter();
        follow(&office, client, HOURLY);
    }
    let uploader = client.clone().map(|client| {
        let inbox = inbox.clone();
        let _guard = tokio.enter();
        Uploader::start(queue.clone(), client, backoff, move |event| {
            let event = match event {
                UploaderEvent::Delivered(id) => Event::Delivered(id),
                UploaderEvent::Network(up) => Event::Network(up),
                UploaderEvent::Trouble(code) => Event::LinkTrouble(code),
                UploaderEvent::Status(status) => Event::Queue(status),
                UploaderEvent::Refused(..) => return,
            };
            send(&inbox, event);
        })
    });
    if client.is_none() {
        send(&inbox, Event::Network(false));
        send(&inbox, Event::LinkTrouble(Some("link.setup".to_owned())));
    }
    let trust = ReceiptTrust { key: identity.receipt.clone(), device: device_id };
    let told = inbox.clone();
    queue.run(
        |queue| {
            // Receipts that come back from an export count like those from the line.
            queue.trust(trust);
            queue.status(jiff::Timestamp::now())
        },
        move |status| {
            if let Ok(status) = status {
                send(&told, Event::Queue(status));
            }
        },
    );

    let sealer = Sealer::new(
        Terminal {
            device,
            office,
            site: config.site.region.clone(),
            catalogue_version: catalog.version().to_owned(),
            declaration_version: catalog.declaration().version.clone(),
        },
        queue,
    );
    let screen = make_screen(inbox.clone())?;
    if let Some(panel) = config.panel {
        screen.set_density(panel.density());
    }
    screen.set_glyphs(|one| GlyphSource::shared().is_ok_and(|fonts| fonts.has(one)));
    screen.set_writer(writer(
        &catalog,
        &config.site.region,
        config.input.as_deref(),
        config.handwriting.as_deref(),
    ));
    let heart = Heartbeat::new("screen");
    let journal = config.storage.dir.join("print-journal.json");
    let devices = DeviceHub::start(&profile, journal, &heart, &inbox, tokio);
    let world = World { catalog, fitted: fitted(&profile), site: config.site };
    let hands = Hands {
        devices,
        reader: PageReader::start(&config.speech.unwrap_or_default(), &inbox),
        sealer,
        client,
        uploader,
        pin: config.staff.pin,
        tamper_latch: config.storage.dir.join("tampered"),
        inbox,
        tokio: tokio.clone(),
    };
    let runtime = Runtime::new(world, clock, screen, hands, heart);
    Ok(Assembled { runtime, messages, reconciliation })
}

/// A screen whose intents go into the channel.
pub fn screen(inbox: Inbox) -> anyhow::Result<Rc<Screen>> {
    let screen = Screen::new(move |intent| send(&inbox, Event::Intent(intent))).context(
        "no screen: is a display there (DISPLAY, WAYLAND_DISPLAY), or is --headless meant?",
    )?;
    Ok(Rc::new(screen))
}

/// Runs in a window until it is closed.
pub fn run_in_window(assembled: Assembled, screen: &Screen) -> anyhow::Result<()> {
    use std::cell::RefCell;
    thread_local! {
        static RUNTIME: RefCell<Option<Runtime>> = const { RefCell::new(None) };
    }
    fn with(work: impl FnOnce(&mut Runtime)) {
        RUNTIME.with_borrow_mut(|runtime| {
            if let Some(runtime) = runtime {
                work(runtime);
            }
        });
    }

    RUNTIME.set(Some(assembled.runtime));
    let messages = assembled.messages;
    std::thread::Builder::new().name("events".into()).spawn(move || {
        for message in messages {
            let handled =
                slint::invoke_from_event_loop(move || with(|runtime| runtime.handle(message)));
            if handled.is_err() {
                return;
            }
        }
    })?;
    let ticks = slint::Timer::default();
    ticks.start(slint::TimerMode::Repeated, crate::runtime::TICK, || with(Runtime::tick));
    let result = screen.run();
    // Devices and uploads end with their owner.
    RUNTIME.set(None);
    result.context("the window failed")
}
