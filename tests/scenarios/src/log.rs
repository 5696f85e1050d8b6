//! The authserver's log of one virtual server.

use serde::Deserialize;

/// What the server received. Times are seconds on the server's clock.
#[derive(Debug, Clone, Default, Deserialize)]
pub(crate) struct Log {
    #[serde(default)]
    pub(crate) requests: Vec<Request>,
    #[serde(default)]
    pub(crate) connections: Vec<Connection>,
    /// Every secret that the server issued or accepted.
    #[serde(default)]
    pub(crate) secrets: Vec<String>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Request {
    pub(crate) origin: String,
    pub(crate) arrived: f64,
    /// When the last write of the response began; none before its end or if a fault suppressed it.
    pub(crate) replied: Option<f64>,
    /// When the client disconnected before it had the whole response.
    pub(crate) gone: Option<f64>,
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) query: Option<String>,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) form: Option<Vec<(String, String)>>,
    pub(crate) endpoint: String,
    pub(crate) violations: Vec<String>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Connection {
    pub(crate) origin: String,
}

impl Request {
    /// When the request was over for the client, as far as the server can tell.
    pub(crate) fn ended(&self) -> f64 {
        self.replied.or(self.gone).unwrap_or(self.arrived)
    }

    /// Returns the values of a header. `name` is lower case.
    pub(crate) fn header_values<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.headers
            .iter()
            .filter(move |(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }
}

impl Log {
    pub(crate) fn to<'a>(&'a self, endpoint: &'a str) -> impl Iterator<Item = &'a Request> {
        self.requests.iter().filter(move |request| request.endpoint == endpoint)
    }

    /// Returns the seconds from the end of a response to the arrival of the next poll, starting with the device
    /// authorization response.
    pub(crate) fn poll_gaps(&self) -> Vec<f64> {
        let Some(device) = self.to("device").last() else { return Vec::new() };
        let before = std::iter::once(device).chain(self.to("token"));
        before.zip(self.to("token")).map(|(before, poll)| poll.arrived - before.ended()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(endpoint: &str, arrived: f64, replied: Option<f64>, gone: Option<f64>) -> Request {
        Request { endpoint: endpoint.into(), arrived, replied, gone, ..Request::default() }
    }

    #[test]
    fn gaps_start_at_the_end_of_the_previous_response() {
        let log = Log {
            requests: vec![
                request("device", 1.0, Some(1.5), None),
                request("token", 3.0, Some(4.0), None),
                request("token", 6.0, None, Some(10.0)),
                request("token", 14.0, None, None),
                request("token", 15.0, Some(15.0), None),
            ],
            ..Log::default()
        };
        assert_eq!(log.poll_gaps(), [1.5, 2.0, 4.0, 1.0]);
    }

    #[test]
    fn header_names_are_case_insensitive() {
        let request = Request { headers: vec![("Accept".into(), "a".into())], ..Request::default() };
        assert_eq!(request.header_values("accept").collect::<Vec<_>>(), ["a"]);
        assert_eq!(request.header_values("cookie").count(), 0);
    }
}
