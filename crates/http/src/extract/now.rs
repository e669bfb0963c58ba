use std::future::{Ready, ready};

use actix_web::{FromRequest, HttpMessage, HttpRequest, dev, web::Data};
use xmas_time::{Clock, DateTime, Utc};

/// The instant of this request: read from the clock once, however many extractors ask.
#[derive(Clone, Copy, Debug)]
pub struct Now(pub DateTime<Utc>);

impl Now {
    pub fn of(request: &HttpRequest) -> Self {
        if let Some(now) = request.extensions().get::<Self>() {
            return *now;
        }
        let clock = request.app_data::<Data<dyn Clock>>();
        let now = Self(clock.expect("wiring registers a clock").now());
        request.extensions_mut().insert(now);
        now
    }
}

impl FromRequest for Now {
    type Error = actix_web::Error;
    type Future = Ready<Result<Self, Self::Error>>;

    fn from_request(request: &HttpRequest, _: &mut dev::Payload) -> Self::Future {
        ready(Ok(Self::of(request)))
    }
}
