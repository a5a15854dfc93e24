# The production image: the `operator` and `sync` commands, ahead-of-time compiled (ReadyToRun), no shell tools added,
# running as nobody in particular on a read-only root. The embedded API server and the command line are not in it.
FROM debian:12-slim AS sdk
RUN apt-get update \
 && apt-get install -y --no-install-recommends ca-certificates curl libstdc++6 \
 && curl -fsSL https://dot.net/v1/dotnet-install.sh | bash -s -- --channel 10.0 --install-dir /opt/dotnet

FROM sdk AS build
ARG TARGETARCH=amd64
WORKDIR /source
COPY VERSION Directory.Build.props Directory.Packages.props .editorconfig ./
COPY src src
COPY catalog catalog
RUN arch=$([ "$TARGETARCH" = amd64 ] && echo x64 || echo "$TARGETARCH") \
 && /opt/dotnet/dotnet publish src/Operator/Operator.csproj -c Release -r "linux-$arch" --self-contained false \
      -p:PublishReadyToRun=true -o /app

FROM debian:12-slim
RUN apt-get update \
 && apt-get install -y --no-install-recommends ca-certificates libstdc++6 \
 && rm -rf /var/lib/apt/lists/*
COPY --from=sdk /opt/dotnet/dotnet /opt/dotnet/
COPY --from=sdk /opt/dotnet/host /opt/dotnet/host
COPY --from=sdk /opt/dotnet/shared /opt/dotnet/shared
COPY --from=build /app /app
ENV DOTNET_ROOT=/opt/dotnet DOTNET_EnableDiagnostics=0 DOTNET_gcServer=0 DOTNET_TieredPGO=0
USER 65532:65532
ENTRYPOINT ["/opt/dotnet/dotnet", "/app/OptiInfra.Operator.dll"]
CMD ["operator"]
