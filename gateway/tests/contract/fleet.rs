//! Gateways on one store: two at once where the store is shared, one after the other where it is a
//! folder.

use std::net::SocketAddr;

use gateway::{RunningGateway, ServeOptions, serve};

use crate::stores::{Ground, Kind};
use crate::support::{Site, catalog_dir};

pub struct Fleet {
    pub site: Site,
    pub ground: Ground,
    running: Vec<RunningGateway>,
    opener: bool,
}

impl Fleet {
    pub async fn new(kind: Kind) -> Self {
        Self::with(kind, true).await
    }

    pub async fn receiving_only(kind: Kind) -> Self {
        Self::with(kind, false).await
    }

    async fn with(kind: Kind, opener: bool) -> Self {
        let site = Site::new();
        let ground = Ground::new(kind, site.dir.path());
        let mut fleet = Self { site, ground, running: Vec::new(), opener };
        let count = if kind == Kind::Shared { 2 } else { 1 };
        for _ in 0..count {
            fleet.start().await;
        }
        fleet
    }

    pub fn options(&self) -> ServeOptions {
        let mut options =
            ServeOptions::new(self.site.dir.path(), "127.0.0.1:0".parse().unwrap(), &catalog_dir());
        options.stores = self.ground.stores.clone();
        options.opener = self.opener;
        options
    }

    async fn start(&mut self) {
        self.running.push(serve(self.options()).await.unwrap());
    }

    /// Any gateway.
    pub fn at(&self) -> SocketAddr {
        self.running[0].addr
    }

    /// Each of those that are running.
    pub fn all(&self) -> Vec<SocketAddr> {
        self.running.iter().map(|gateway| gateway.addr).collect()
    }

    /// Another gateway than in the turn before.
    pub async fn turn(&mut self) -> SocketAddr {
        match self.ground.kind {
            Kind::Shared => self.running.rotate_left(1),
            Kind::Embedded => self.restart().await,
        }
        self.at()
    }

    pub async fn restart(&mut self) {
        let count = self.running.len();
        self.stop().await;
        for _ in 0..count {
            self.start().await;
        }
    }

    pub async fn stop(&mut self) {
        for gateway in self.running.drain(..) {
            gateway.shutdown().await;
        }
    }

    /// How many rows of alarms there are of a kind.
    pub fn alarms(&self, kind: &str) -> i64 {
        let sql = format!("SELECT count(*) FROM audit WHERE kind = '{kind}'");
        self.ground.number("gateway", &sql)
    }

    /// How many submissions have got a receipt; each is in the outbox.
    pub fn stored(&self) -> i64 {
        let stored = self.ground.number("gateway", "SELECT count(*) FROM submissions");
        assert_eq!(self.ground.number("gateway", "SELECT count(*) FROM outbox"), stored);
        stored
    }
}
