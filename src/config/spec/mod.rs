//! What was written: one struct for each table of version 1, every field optional, so that an entry that was taken out
//! makes no second fault. Nothing here judges a value.

pub(crate) mod read;
mod unlike;
mod value;

use std::{collections::BTreeMap, fmt};

use serde::{
    Deserialize, Deserializer,
    de::{self, value::MapAccessDeserializer},
};
use toml::Spanned;

pub(crate) use value::{
    DistanceText, DurationText, List, Nothing, NumberOr, Real, Scalar, ShareText, SizeText, TableOr, Text, Whole,
};

/// A field as it was written, with its place.
pub(crate) type Field<T> = Option<Spanned<T>>;

/// The entries of a table whose keys are the operator's, in name order.
pub(crate) type Named<T> = BTreeMap<Spanned<String>, T>;

/// Orders of regions by what selects their clients.
pub(crate) type Orders = BTreeMap<Spanned<String>, Spanned<List>>;

/// A whole configuration.
#[derive(Debug, Default)]
pub(crate) struct Spec {
    pub(crate) version: Field<Whole>,
    pub(crate) server: ServerSpec,
    /// Where `[server]` stands.
    pub(crate) server_at: Option<std::ops::Range<usize>>,
    pub(crate) acls: Named<Field<List>>,
    pub(crate) groups: Named<Field<List>>,
    pub(crate) ecs: EcsSpec,
    pub(crate) geo: GeoSpec,
    pub(crate) latency: LatencySpec,
    pub(crate) log: LogSpec,
    pub(crate) regions: Named<RegionSpec>,
    pub(crate) defaults: DefaultsSpec,
    pub(crate) monitors: Named<MonitorSpec>,
    pub(crate) loads: Named<LoadSpec>,
    pub(crate) health: HealthSpec,
    pub(crate) hooks: Named<HookSpec>,
    pub(crate) policies: Named<PolicySpec>,
    pub(crate) pools: Named<PoolSpec>,
    pub(crate) services: Named<ServiceSpec>,
    pub(crate) zones: Named<ZoneSpec>,
}

// What serde derives for a struct also takes a list of its fields; a table of ours is never written as one.
macro_rules! table {
    ($($name:ident { $($field:ident: $type:ty,)* })*) => {$(
        #[derive(Clone, Debug, Default, Deserialize)]
        #[serde(remote = "Self", default, deny_unknown_fields)]
        pub(crate) struct $name { $(pub(crate) $field: $type,)* }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                struct Visitor;
                impl<'de> de::Visitor<'de> for Visitor {
                    type Value = $name;
                    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                        f.write_str("a table")
                    }
                    fn visit_map<A: de::MapAccess<'de>>(self, from: A) -> Result<$name, A::Error> {
                        $name::deserialize(MapAccessDeserializer::new(from))
                    }
                }
                from.deserialize_any(Visitor)
            }
        }
    )*};
}

table! {
    ServerSpec {
        listen: Field<List>,
        identity: Field<Text>,
        state_dir: Field<Text>,
        secret_file: Field<Text>,
        workers: Field<NumberOr>,
        startup_wait: Field<DurationText>,
        rotate: Field<bool>,
        udp: UdpSpec,
        tcp: TcpSpec,
    }
    UdpSpec { max_size: Field<Whole>, receive_buffer: Field<SizeText>, batch: Field<Whole>, }
    TcpSpec {
        connections: Field<Whole>,
        per_client: Field<Whole>,
        idle: Field<DurationText>,
        message: Field<DurationText>,
    }
    EcsSpec {
        from: Field<List>,
        block: Field<LengthsSpec>,
        widest: Field<LengthsSpec>,
        finest: Field<LengthsSpec>,
        reflect: Field<ReflectSpec>,
    }
    LengthsSpec { v4: Field<Whole>, v6: Field<Whole>, }
    ReflectSpec { name: Field<Text>, allow: Field<List>, }
    GeoSpec {
        databases: Field<List>,
        overrides: Field<Text>,
        resolvers: Field<Text>,
        default: Field<List>,
        max_shrink: Field<ShareText>,
    }
    LatencySpec {
        files: Field<List>,
        min_samples: Field<Whole>,
        max_age: Field<DurationText>,
        max_prefixes: Field<Whole>,
        switch: SwitchSpec,
        refresh: Field<DurationText>,
        model: ModelSpec,
    }
    SwitchSpec { ms: Field<Real>, percent: Field<ShareText>, hold: Field<DurationText>, }
    ModelSpec { km_per_ms: Field<Whole>, base: Field<DurationText>, }
    LogSpec { level: Field<Text>, format: Field<Text>, }
    RegionSpec {
        location: Field<LocationSpec>,
        bias: Field<DurationText>,
        capacity: Field<Real>,
        demand: Field<Real>,
        fence: Field<FenceSpec>,
    }
    LocationSpec { lat: Field<Real>, lon: Field<Real>, }
    FenceSpec { only: Field<List>, never: Field<List>, }
    MonitorSpec {
        interval: Field<DurationText>,
        timeout: Field<DurationText>,
        recheck: Field<DurationText>,
        fall: Field<Whole>,
        rise: Field<Whole>,
        clear: Field<Whole>,
        hold: Field<DurationText>,
        failback: Field<Text>,
        flap: Field<FlapSpec>,
        source: Field<Text>,
        tcp: Field<TcpCheckSpec>,
        tls: Field<TlsCheckSpec>,
        http: Field<HttpSpec>,
        https: Field<HttpSpec>,
        grpc: Field<GrpcSpec>,
        dns: Field<DnsSpec>,
        icmp: Field<Nothing>,
        exec: Field<ExecSpec>,
        file: Field<FileSpec>,
        any: Field<List>,
        all: Field<List>,
        at_least: Field<AtLeastSpec>,
    }
    FlapSpec { suppress: Field<Real>, reuse: Field<Real>, half_life: Field<DurationText>, }
    TcpCheckSpec { port: Field<Whole>, send: Field<Text>, expect: Field<Text>, }
    ExpirySpec { warn: Field<DurationText>, fail: Field<DurationText>, }
    TlsCheckSpec {
        port: Field<Whole>,
        sni: Field<Text>,
        verify: Field<bool>,
        ca_file: Field<Text>,
        expiry: Field<ExpirySpec>,
    }
    GrpcSpec {
        port: Field<Whole>,
        service: Field<Text>,
        tls: Field<bool>,
        sni: Field<Text>,
        verify: Field<bool>,
        ca_file: Field<Text>,
        expiry: Field<ExpirySpec>,
    }
    DnsSpec { port: Field<Whole>, name: Field<Text>, r#type: Field<Text>, expect: Field<List>, }
    ExecSpec { command: Field<List>, }
    FileSpec { path: Field<Text>, }
    AtLeastSpec { n: Field<Whole>, of: Field<List>, }
    JsonSpec { path: Field<Text>, equals: Field<Scalar>, at_least: Field<Real>, at_most: Field<Real>, }
    HealthSpec {
        governor: GovernorSpec,
        canaries: Option<Vec<Spanned<CanaryTargetSpec>>>,
        restore_age: Field<DurationText>,
        rate: RateSpec,
        allow_targets: Field<List>,
    }
    GovernorSpec { max_regions: Field<NumberOr>, window: Field<DurationText>, release: Field<DurationText>, }
    CanaryTargetSpec { monitor: Field<Text>, address: Field<Text>, }
    RateSpec { total: Field<Whole>, per_target: Field<Whole>, }
    HookSpec { on: Field<List>, http: Field<HookHttpSpec>, exec: Field<ExecSpec>, timeout: Field<DurationText>, rate: Field<Text>, }
    HookHttpSpec { url: Field<Text>, headers: BTreeMap<Spanned<String>, Spanned<Text>>, ca_file: Field<Text>, }
    HttpSpec {
        port: Field<Whole>,
        sni: Field<Text>,
        verify: Field<bool>,
        ca_file: Field<Text>,
        expiry: Field<ExpirySpec>,
        json: Field<JsonSpec>,
        path: Field<Text>,
        method: Field<Text>,
        host: Field<Text>,
        headers: BTreeMap<Spanned<String>, Spanned<Text>>,
        status: Option<Vec<Spanned<NumberOr>>>,
        body: Field<BodySpec>,
        version: Field<Text>,
        redirects: Field<Whole>,
    }
    BodySpec { contains: Field<Text>, matches: Field<Text>, max: Field<SizeText>, }
    LoadSpec {
        interval: Field<DurationText>,
        max_age: Field<DurationText>,
        smooth: Field<DurationText>,
        of: Field<Text>,
        push: Field<Nothing>,
        haproxy: Field<HaproxySpec>,
        haproxy_agent: Field<AgentSpec>,
        nginx: Field<NginxSpec>,
        prometheus: Field<PrometheusSpec>,
        json: Field<JsonLoadSpec>,
        exec: Field<ExecSpec>,
    }
    HaproxySpec { port: Field<Whole>, path: Field<Text>, backend: Field<Text>, server: Field<Text>, field: Field<Text>, }
    AgentSpec { port: Field<Whole>, }
    NginxSpec { port: Field<Whole>, path: Field<Text>, field: Field<Text>, }
    PrometheusSpec {
        port: Field<Whole>,
        path: Field<Text>,
        metric: Field<Text>,
        labels: BTreeMap<Spanned<String>, Spanned<Text>>,
        per: Field<Text>,
    }
    JsonLoadSpec { port: Field<Whole>, path: Field<Text>, pointer: Field<Text>, }
    PolicySpec {
        extends: Field<Text>,
        prefer: Field<List>,
        tolerance: Field<ToleranceSpec>,
        limit: Field<LimitSpec>,
        depth: Field<Whole>,
        spread: Field<Text>,
        sticky: Field<LengthsSpec>,
        answers: Field<Whole>,
        distinct: Field<Text>,
        shed: Field<ShedSpec>,
        slow_start: Field<DurationText>,
        geo: Field<GeoRulesSpec>,
    }
    ToleranceSpec {
        rtt: Field<DurationText>,
        distance: Field<DistanceText>,
        load: Field<ShareText>,
        response: Field<DurationText>,
    }
    LimitSpec { rtt: Field<DurationText>, distance: Field<DistanceText>, }
    ShedSpec { low: Field<Real>, high: Field<Real>, }
    GeoRulesSpec {
        default: Field<List>,
        continent: Orders,
        country: Orders,
        subdivision: Orders,
        asn: Orders,
        net: Orders,
        group: Orders,
    }
    PoolSpec {
        monitor: Field<Text>,
        load: Field<Text>,
        policy: Field<Text>,
        order: Field<List>,
        min_healthy: Field<NumberOr>,
        panic: Field<ShareText>,
        fence: Field<FenceSpec>,
        endpoints: Named<EndpointSpec>,
    }
    EndpointSpec {
        region: Field<Text>,
        address: Field<List>,
        cname: Field<Text>,
        weight: Field<Whole>,
        tier: Field<Whole>,
        group: Field<Text>,
        capacity: Field<Real>,
        probe: Field<ProbeSpec>,
        fence: Field<FenceSpec>,
    }
    ProbeSpec { address: Field<List>, port: Field<Whole>, }
    DefaultsSpec { monitor: DefaultMonitorSpec, service: DefaultServiceSpec, }
    DefaultMonitorSpec {
        interval: Field<DurationText>,
        timeout: Field<DurationText>,
        recheck: Field<DurationText>,
        fall: Field<Whole>,
        rise: Field<Whole>,
        clear: Field<Whole>,
        hold: Field<DurationText>,
        failback: Field<Text>,
        flap: Field<FlapSpec>,
        source: Field<Text>,
    }
    DefaultServiceSpec {
        policy: Field<Text>,
        ttl: TtlSpec,
        when_all_down: Field<TableOr<SpareSpec>>,
        when_fenced: Field<TableOr<SpareSpec>>,
        families: Field<Text>,
        ecs: Field<bool>,
    }
    ServiceSpec {
        pools: Field<List>,
        policy: Field<Text>,
        ttl: TtlSpec,
        when_all_down: Field<TableOr<SpareSpec>>,
        when_fenced: Field<TableOr<SpareSpec>>,
        families: Field<Text>,
        affinity: Field<Text>,
        canary: Field<CanarySpec>,
        ecs: Field<bool>,
        direct: Field<bool>,
        second: Field<Text>,
        https: Field<HttpsSpec>,
        fence: Field<FenceSpec>,
        objective: Field<DurationText>,
    }
    TtlSpec { max: Field<DurationText>, min: Field<DurationText>, }
    SpareSpec { address: Field<List>, cname: Field<Text>, }
    CanarySpec { pool: Field<Text>, share: Field<ShareText>, }
    HttpsSpec { alpn: Field<List>, port: Field<Whole>, hints: Field<bool>, }
    ZoneSpec { file: Field<Text>, }
}
