"""The emulator, with a token of the app's identity: `python -m bench.emulator_rest.emulator`."""

import asyncio

from signalr_emulator import Config, running

from ..meter import answer_readings

__all__: list[str] = []


async def main() -> None:
    """Serve until the input ends."""
    async with running(Config(service_port=0, control_port=0)) as emulator:
        service = emulator.service
        identity = service.identities.named_by({})
        token = service.tenant.issue(identity, "https://signalr.azure.com")
        port = int(emulator.service_url.rpartition(":")[2])
        await answer_readings({"port": port, "token": token.text})


if __name__ == "__main__":
    asyncio.run(main())
