use reqwest::Method;
use xmas_test_support::TestApp;

#[tokio::test]
async fn it_is_gone_whatever_the_method_and_the_token() {
    let app = TestApp::start().await;
    for client in [app.anonymous(), app.with_token(Some("nonsense"))] {
        for method in [
            Method::GET,
            Method::POST,
            Method::PUT,
            Method::DELETE,
            Method::PATCH,
        ] {
            let request = client.request(method, "/api/today-feature");
            client
                .send(request)
                .await
                .expect_error(410, "FEATURE_RETIRED");
        }
    }
}
