from doctor.diagnoses.no_answer import explain_no_answer

SERVICE_URI = "AzureSignalRConnectionString__serviceUri"


def test_a_private_endpoint_that_cannot_be_reached_from_here() -> None:
    url = "https://contoso.service.signalr.net/api/health"
    said = explain_no_answer(TimeoutError("timed out"), url, SERVICE_URI, address="10.1.2.3")
    assert said.summary == "https://contoso.service.signalr.net did not answer in time"
    assert "private address 10.1.2.3" in said.fix
    assert "firewall" in explain_no_answer(TimeoutError(), url, SERVICE_URI, address="8.8.8.8").fix
