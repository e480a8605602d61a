# One image for the gateway and its connectors: built files only, without the tools that built them.
FROM node:22-slim AS build
# better-sqlite3 compiles where its prebuilt binary cannot be fetched.
RUN apt-get update \
  && apt-get install --yes --no-install-recommends g++ make python3 \
  && rm -rf /var/lib/apt/lists/*
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci
COPY tsconfig.json ./
COPY scripts scripts
COPY src src
COPY connectors connectors
RUN npm run build
RUN npm prune --omit=dev
# The fonts of PDFs: two weights of one format are used, of eighteen files each.
RUN find node_modules/@fontsource -path '*/files/*' -type f ! -name '*-400-normal.woff' ! -name '*-700-normal.woff' -delete

FROM node:22-slim
ENV NODE_ENV=production PORT=8080 DATA_DIR=/data
WORKDIR /app
COPY --from=build /app/package.json ./
COPY --from=build /app/node_modules node_modules
COPY --from=build /app/dist dist
RUN mkdir -p /data/files && chown -R node:node /data
USER node
VOLUME /data
EXPOSE 8080
# Health is at the root, whatever BASE_PATH says.
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT}/health/ready`).then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
# As `npm start` does, but signals reach the process itself, so that it can drain.
CMD ["node", "--max-semi-space-size=64", "--no-memory-reducer", "dist/src/main.js"]
