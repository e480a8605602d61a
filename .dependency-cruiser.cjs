// The floors of the house: imports point down only. Each rule says in its comment what to do when it bites.
const PORTS =
  '^src/store/(conversation-store|delivery-store|carrier-store|account-store|attendance-store|notification-store|file-store|custody-store|erasure-store|database|records|writes)\\.ts$'
const BUS = '^src/bus/bus\\.ts$'
/** The rows behind the log: words that use cases hand to dialects, such as a delivery. */
const RECORDS = '^src/store/records\\.ts$'
/** Layer 2: rules and use cases, which every dialect and the HTTP border may ask. */
const USE_CASES = '^src/(conversation|routing|transcript|files|identity)/'
/** What says how the wire looks, and does nothing. */
const PURE = '/(codec|wire|rest-wire|tolerant|catalog[a-z-]*|document[a-z-]*)\\.ts$'
/** What a client or a page may know of the server: the types of the wire. */
const WIRE = '^src/dialects/customer-channel/(wire|rest-wire)\\.ts$'

const floor = (name, from, allowed, comment) => ({
  name,
  comment,
  severity: 'error',
  from: { path: from },
  to: { path: '^(src|connectors|test)/', pathNot: allowed },
})
const only = (name, packages, home, comment) => ({
  name,
  comment,
  severity: 'error',
  from: { path: '^(src|connectors)/', pathNot: home },
  to: { path: `^node_modules/(@types/)?(${packages})/` },
})
const typesOnly = (name, from, to, comment) => ({
  name,
  comment,
  severity: 'error',
  from: { path: from },
  to: { path: to, dependencyTypesNot: ['type-only'] },
})

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    {
      name: 'no-circular',
      severity: 'error',
      comment: 'Move what both sides need one floor down.',
      from: {},
      to: { circular: true },
    },
    {
      name: 'no-orphans',
      severity: 'error',
      comment: 'Nobody imports this file and it imports nobody: wire it in gateway.ts or delete it.',
      from: { orphan: true, path: '^(src|connectors)/', pathNot: '\\.d\\.ts$|^src/web/[^/]+/[^/]+\\.js$' },
      to: {},
    },
    {
      name: 'no-unresolvable',
      severity: 'error',
      comment: 'The file or package does not exist: mend the path, or add the package to package.json.',
      from: { pathNot: '^test/bench/' }, // it measures the built files
      to: { couldNotResolve: true },
    },
    {
      name: 'no-production-to-test',
      severity: 'error',
      comment: 'What production needs does not live in test/: move it to the folder that uses it.',
      from: { path: '^(src|connectors)/' },
      to: { path: '^test/' },
    },

    // Layer 0
    floor('model-is-the-ground', '^src/model/', '^src/model/', 'The words of the log depend on nothing of ours.'),

    // Layer 1
    floor(
      'ports-speak-model',
      `${PORTS}|${BUS}`,
      `^src/model/|${PORTS}`,
      'A port speaks in model words; move the type down to model/, or up to the adapter.',
    ),
    floor(
      'store-stays-home',
      '^src/store/',
      '^src/(model|store)/',
      'A store turns decisions into rows; rules belong in conversation/.',
    ),
    floor(
      'aside-knows-nobody',
      '^src/aside/',
      '^src/aside/',
      'A process beside the gateway is a means; what it does is said by who has it.',
    ),
    floor('bus-stays-home', '^src/bus/', '^src/(model|bus)/', 'A bus carries hints and nothing else.'),
    {
      name: 'adapters-are-named-by-the-gateway',
      severity: 'error',
      comment: 'Ask the port; gateway.ts supplies the adapter.',
      from: { path: '^(src|connectors)/', pathNot: '^src/(store|bus)/|^src/gateway\\.ts$' },
      to: { path: '^src/(store|bus)/', pathNot: `${PORTS}|${BUS}` },
    },

    // Layer 2
    floor(
      'conversation-sees-ports-only',
      '^src/conversation/',
      `^src/(model|conversation)/|${PORTS}|${BUS}`,
      'The domain asks a port and knows no dialect; gateway.ts supplies the adapter.',
    ),
    floor(
      'routing-sits-on-conversation',
      '^src/routing/',
      `^src/(model|routing|conversation)/|${PORTS}|${BUS}`,
      'Routing decides through conversation/; who asks it stands above.',
    ),
    floor(
      'transcript-reads-the-log',
      '^src/transcript/',
      `^src/(model|aside|transcript)/|${PORTS}`,
      'A transcript is a reading of stored events: take them from the port, and words from model/.',
    ),
    floor(
      'files-stay-home',
      '^src/files/',
      `^src/(model|aside|files)/|${PORTS}`,
      'Files know ids and bytes; who may see one is asked by the caller.',
    ),
    floor(
      'identity-stays-home',
      '^src/identity/',
      `^src/(model|identity)/|${PORTS}`,
      'Identity says who somebody is; what they may do in a conversation is a rule in conversation/.',
    ),
    {
      name: 'the-domain-does-no-io',
      severity: 'error',
      comment:
        'Rules and use cases reach the world through ports only. Put the I/O behind one, and wire it in gateway.ts.',
      from: { path: '^src/(model|conversation|routing)/' },
      to: {
        dependencyTypes: ['core'],
        path: '^(node:)?(fs|fs/promises|net|tls|dgram|http|https|http2|child_process|worker_threads|cluster)$',
      },
    },

    // Layer 3
    floor(
      'dialects-do-not-meet',
      '^src/(dialects/[^/]+)/',
      `^src/(model|$1)/|${USE_CASES}|${RECORDS}|^src/dialects/dialect\\.ts$`,
      'Dialects meet in conversation/, never in each other, and get what they need from gateway.ts.',
    ),
    floor(
      'codecs-are-pure',
      `^src/dialects/[^/]+${PURE}`,
      `^src/model/|${PURE}|^src/conversation/|${RECORDS}`,
      'A codec knows two vocabularies and nothing else: let the transport fetch what it needs.',
    ),
    typesOnly(
      'codecs-take-types',
      `^src/dialects/[^/]+${PURE}`,
      `^src/conversation/|${RECORDS}`,
      'A codec may name the types of a use case, and calls none of its functions.',
    ),
    floor(
      'http-stays-home',
      '^src/http/',
      `^src/(model|http)/|${USE_CASES}`,
      'Mount a router from gateway.ts, or take a function as a dependency.',
    ),
    floor(
      'operations-stay-home',
      '^src/operations/',
      `^src/(model|operations)/|${USE_CASES}|${PORTS}|${BUS}`,
      'Operations look at ports and use cases; a number of a dialect is told to them by gateway.ts.',
    ),

    // Layer 4
    floor('gateway-stays-home', '^src/gateway\\.ts$', '^src/', 'The gateway does not know its tests or connectors.'),
    floor(
      'main-starts-the-gateway',
      '^src/main\\.ts$',
      '^src/(gateway|config|logger|aside/go-first)\\.ts$',
      'main.ts reads the settings, starts and stops; everything else is composed in gateway.ts.',
    ),
    {
      name: 'settings-come-as-values',
      severity: 'error',
      comment:
        'Take the value, or a function that logs, as a dependency; only the processes’ first files read settings.',
      from: {
        path: '^(src|connectors)/',
        pathNot: '^src/(main|gateway|config|settings|logger)\\.ts$|^connectors/main\\.ts$',
      },
      to: { path: '^src/(config|settings|setting-kinds|logger)\\.ts$' },
    },
    floor(
      'the-process-files-stay-small',
      '^src/(config|settings|setting-kinds|logger)\\.ts$',
      '^src/(config|settings|setting-kinds|logger)\\.ts$|^src/(files/kinds|transcript/(smtp-url|mail-address))\\.ts$',
      'Settings and the log know nothing of the house but how some texts are read.',
    ),

    // Beside the house
    floor(
      'client-speaks-the-wire',
      '^src/client/',
      `^src/client/|${WIRE}`,
      'The client must be usable without the server.',
    ),
    typesOnly(
      'guests-take-types',
      '^(src/(client|web)|connectors)/',
      WIRE,
      'Write `import type`: whoever stands outside the house does not run its schemas, and zod stays out of browsers.',
    ),
    floor(
      'web-uses-the-client',
      '^src/web/([^/]+)/',
      `^src/web/$1/|^src/client/|${WIRE}`,
      'A page speaks through client/, and pages do not meet.',
    ),
    floor(
      'connectors-are-guests',
      '^connectors/',
      `^connectors/|^src/client/|^src/(config|logger)\\.ts$|${WIRE}`,
      'A connector uses the same door as any stranger.',
    ),
    {
      name: 'connectors-do-not-meet',
      severity: 'error',
      comment: 'Connectors share through connectors/*.ts, not with each other.',
      from: { path: '^connectors/([^/]+)/' },
      to: { path: '^connectors/[^/]+/', pathNot: '^connectors/$1/' },
    },

    // Packages live in one home each
    only('sql-lives-in-store', 'kysely|pg|better-sqlite3', '^src/store/', 'Talk to a store port.'),
    only('redis-lives-in-bus', 'ioredis', '^src/bus/', 'Talk to Bus.'),
    only(
      'socketio-lives-in-one-dialect',
      'socket\\.io',
      '^src/dialects/customer-channel/',
      'Talk to Conversations and Hub.',
    ),
    only('the-socket-client-lives-in-client', 'socket\\.io-client', '^src/client/', 'Use ChannelClient.'),
    only(
      'express-lives-at-the-borders',
      'express|express-serve-static-core|helmet',
      '^src/(http|dialects)/',
      'Give http/app.ts a router.',
    ),
    only('jose-lives-in-tokens', 'jose', '^src/identity/tokens\\.ts$', 'Ask identity/ for a token or what it says.'),
    only('metrics-live-in-one-file', 'prom-client', '^src/operations/metrics\\.ts$', 'Tell operations/metrics.ts.'),
    only('limits-live-in-one-file', 'rate-limiter-flexible', '^src/http/limits\\.ts$', 'Ask http/limits.ts.'),
    only(
      'typesetting-lives-in-transcript',
      'pdfkit|fontkit|bidi-js',
      '^src/transcript/',
      'Give transcript/ what is to be on paper.',
    ),
    only('pino-lives-in-the-logger', 'pino', '^src/logger\\.ts$', 'Take a logger as a dependency.'),
    only('s3-lives-in-its-vault', '@aws-sdk/client-s3', '^src/files/s3-vault\\.ts$', 'Take a Vault as a dependency.'),
    only('multipart-lives-in-one-file', 'busboy', '^src/files/multipart\\.ts$', 'Ask files/multipart.ts.'),
    only(
      'pictures-live-in-one-file',
      'sharp',
      '^src/(files/darkroom-main|transcript/pictures)\\.ts$',
      'Ask files/thumbnail.ts.',
    ),
    only('kinds-live-in-one-file', 'file-type', '^src/files/kind\\.ts$', 'Ask files/kind.ts what a file is.'),
    only('smpp-lives-in-its-connector', 'smpp|libphonenumber-js', '^connectors/sms/', 'That is SMS: move it there.'),
    only('mail-lives-in-transcript', 'nodemailer', '^src/transcript/', 'Ask the Mailer of src/transcript/mailer.ts.'),
    typesOnly(
      'zod-stays-out-of-browsers',
      '^src/(client|web)/',
      '^node_modules/zod/',
      'Take types from wire.ts, and check by hand what little a browser must check.',
    ),
  ],
  options: {
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    doNotFollow: { path: '(^|/)(node_modules|dist)/' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'node', 'types', 'default'],
    },
  },
}
