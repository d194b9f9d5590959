from socket import gaierror

from doctor.diagnoses.no_answer import explain_no_answer

SERVICE_URI = "AzureSignalRConnectionString__serviceUri"


def test_a_private_endpoint_that_cannot_be_reached_from_here() -> None:
    url = "https://contoso.service.signalr.net/api/health"
    said = explain_no_answer(TimeoutError("timed out"), url, SERVICE_URI, address="10.1.2.3")
    assert said.summary == "https://contoso.service.signalr.net did not answer in time"
    assert "10.1.2.3 is of a private endpoint" in said.fix
    assert "firewall" in explain_no_answer(TimeoutError(), url, SERVICE_URI, address="8.8.8.8").fix


def test_the_name_of_a_container_is_not_looked_for_in_azure() -> None:
    said = explain_no_answer(gaierror(), "http://signalr:8888/api/health", SERVICE_URI)
    assert said.summary == "no name server knows the host signalr"
    assert "inside its network only" in said.fix
    assert "az " not in said.fix
