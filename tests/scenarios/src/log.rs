//! The authserver's log of one virtual server.

use serde::Deserialize;

/// What came to the server, times in seconds on the server's clock.
#[derive(Debug, Clone, Default, Deserialize)]
pub(crate) struct Log {
    #[serde(default)]
    pub(crate) requests: Vec<Request>,
    #[serde(default)]
    pub(crate) connections: Vec<Connection>,
    /// Everything secret that the server gave out or accepted.
    #[serde(default)]
    pub(crate) secrets: Vec<String>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Request {
    pub(crate) origin: String,
    pub(crate) arrived: f64,
    /// When the answer was out; none while there is none, or where a fault ate it.
    pub(crate) replied: Option<f64>,
    /// When the client went away before it had the whole answer.
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
    /// When the exchange was over for the client, as far as the server can tell.
    pub(crate) fn over(&self) -> f64 {
        self.replied.or(self.gone).unwrap_or(self.arrived)
    }

    /// A moment at which the client did not have the whole answer yet. The server reads its clock after it has written,
    /// and on a busy machine the client is faster: where the answer was not held back on purpose, the arrival of the
    /// request is close enough and never too late.
    pub(crate) fn surely_not_over(&self) -> f64 {
        const HELD_BACK: f64 = 0.2;
        if self.over() - self.arrived < HELD_BACK { self.arrived } else { self.over() }
    }

    /// The values of a header, name in lower case.
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

    /// Seconds from the end of an answer to the arrival of the next poll, the first from the device answer.
    pub(crate) fn poll_gaps(&self) -> Vec<f64> {
        self.gaps_since(Request::over)
    }

    /// The same gaps, as long as they can have been.
    pub(crate) fn longest_poll_gaps(&self) -> Vec<f64> {
        self.gaps_since(Request::surely_not_over)
    }

    fn gaps_since(&self, moment: impl Fn(&Request) -> f64) -> Vec<f64> {
        let Some(device) = self.to("device").last() else { return Vec::new() };
        let before = std::iter::once(device).chain(self.to("token"));
        before.zip(self.to("token")).map(|(before, poll)| poll.arrived - moment(before)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(endpoint: &str, arrived: f64, replied: Option<f64>, gone: Option<f64>) -> Request {
        Request { endpoint: endpoint.into(), arrived, replied, gone, ..Request::default() }
    }

    #[test]
    fn gaps_count_from_the_end_of_the_answer_before() {
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
        assert_eq!(log.longest_poll_gaps(), [1.5, 2.0, 4.0, 1.0], "these answers were held back");
    }

    #[test]
    fn a_late_look_at_the_clock_makes_no_gap_shorter() {
        let requests =
            vec![request("device", 1.0, Some(1.06), None), request("token", 2.05, Some(2.05), None)];
        let log = Log { requests, ..Log::default() };
        assert!((log.poll_gaps()[0] - 0.99).abs() < 1e-9);
        assert!((log.longest_poll_gaps()[0] - 1.05).abs() < 1e-9);
    }

    #[test]
    fn header_names_have_no_case() {
        let request = Request { headers: vec![("Accept".into(), "a".into())], ..Request::default() };
        assert_eq!(request.header_values("accept").collect::<Vec<_>>(), ["a"]);
        assert_eq!(request.header_values("cookie").count(), 0);
    }
}
