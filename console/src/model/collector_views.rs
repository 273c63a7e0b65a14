//! Lists and questions around what the collector says.

use luytre_collector_api::Sensor;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::users::Lang;

/// All sensors.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct SensorList {
    /// The sensors by name.
    pub items: Vec<Sensor>,
    /// How many there are.
    pub total: u64,
}

/// Which part of the ledger is wanted.
#[derive(Debug, Clone, Default, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct LedgerQuery {
    /// From this moment on (RFC 3339), inclusive.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// Until this moment (RFC 3339), exclusive.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    /// One sensor.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sensor: Option<String>,
}

/// Which report is wanted.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct ReportQuery {
    /// The day, `YYYY-MM-DD`, in the console's time zone; today where it is missing.
    pub date: Option<String>,
    /// The language; the caller's where it is missing.
    #[param(inline)]
    pub lang: Option<Lang>,
}
