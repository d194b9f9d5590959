# syntax=docker/dockerfile:1

# The emulator, and the function app on the local host: `docker compose up --build --wait` runs both,
# `docker build --target emulator .` makes the first alone. In Azure the app needs no container.

ARG PYTHON=python:3.13-slim-trixie

FROM ${PYTHON} AS build
WORKDIR /source
# The versions that are tested, without the hashes, which a folder to install cannot have.
COPY requirements-dev.txt ./
RUN sed '/^ *--hash/d; s/ *\\$//' requirements-dev.txt > versions.txt \
    && python -m venv --without-pip /opt/emulator \
    && python -m venv --without-pip /opt/app
COPY emulator/ emulator/
RUN pip --python /opt/emulator/bin/python install --no-cache-dir -c versions.txt ./emulator
COPY requirements.txt constraints.txt ./
COPY funchost/ funchost/
RUN pip --python /opt/app/bin/python install --no-cache-dir -c versions.txt -r requirements.txt ./funchost

FROM ${PYTHON} AS app
RUN useradd --create-home --uid 10001 app
COPY --from=build /opt/app /opt/app
ENV PATH=/opt/app/bin:$PATH PYTHONUNBUFFERED=1
WORKDIR /app
COPY function_app.py events.py host.json ./
COPY broadcast/ broadcast/
COPY demo/ demo/
COPY negotiate/ negotiate/
COPY shared/ shared/
USER 10001
EXPOSE 7071
HEALTHCHECK --interval=5s --timeout=3s --start-period=30s \
    CMD ["python", "-c", "from urllib.request import ProxyHandler, build_opener; build_opener(ProxyHandler({})).open('http://127.0.0.1:7071/api/health', timeout=2)"]
ENTRYPOINT ["python", "-m", "funchost", "--host", "0.0.0.0"]

# The last one is what is built where no target is named.
FROM ${PYTHON} AS emulator
RUN useradd --create-home --uid 10001 emulator
COPY --from=build /opt/emulator /opt/emulator
ENV PATH=/opt/emulator/bin:$PATH PYTHONUNBUFFERED=1
WORKDIR /home/emulator
USER 10001
EXPOSE 8888 8889 8890
# The control plane listens last, and has no TLS, whatever the service has.
HEALTHCHECK --interval=5s --timeout=3s --start-period=30s \
    CMD ["python", "-c", "from urllib.request import ProxyHandler, build_opener; build_opener(ProxyHandler({})).open('http://127.0.0.1:8889/emulator/clock', timeout=2)"]
ENTRYPOINT ["signalr-emulator", "--host", "0.0.0.0", "--authority-port", "8890"]
CMD ["--host-name", "signalr"]
