#!/usr/bin/env node
/** Process entry: arguments, launch flags, configuration, start, signals, drain, exit codes. */
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type Logger, pino } from 'pino';
import { createApp } from './app.ts';
import { type Command, parseArgs, UsageError } from './args.ts';
import { checkConfig } from './commands/check-config.ts';
import { helpText } from './commands/help.ts';
import { inspect } from './commands/inspect.ts';
import { budgetFor, memory, segmentBytesOf } from './commands/memory.ts';
import { overview } from './commands/overview.ts';
import { type Config, ConfigError, formatIssue, loadConfig } from './config/load.ts';
import { parseBytes } from './config/units.ts';
import { allSent } from './http/unsent.ts';
import { isUrl } from './io/http/allow.ts';
import { type Budget, describeBudget } from './memory/budget.ts';
import { launchSettings, missingLaunch } from './memory/launch.ts';
import { limitReader, readLimit } from './memory/limit.ts';
import { segmentReturns, segmentsStay } from './memory/segments.ts';

type ServeCommand = Extract<Command, { name: 'serve' }>;

const output = {
  out: (line: string) => process.stdout.write(`${line}\n`),
  err: (line: string) => process.stderr.write(`${line}\n`),
};

const progress = {
  ...output,
  terminal: process.stderr.isTTY === true,
  part: (text: string) => process.stderr.write(text),
};

/** sysexits: usage, software, configuration. */
const EXIT = { usage: 64, software: 70, config: 78 } as const;

async function main(): Promise<void> {
  const command = parseArgs(process.argv.slice(2));
  switch (command.name) {
    case 'serve':
      return await start(command);
    case 'inspect':
      process.exitCode = await inspect(command.files, command, output);
      return;
    case 'overview':
      process.exitCode = await overview(command.files, overviewOptions(command), progress);
      return;
    case 'check-config':
      process.exitCode = checkConfig(command.file, process.env, output);
      return;
    case 'memory':
      process.exitCode = memory(command, process.env, output);
      return;
    case 'help':
      process.stdout.write(helpText(command.topic));
      return;
    case 'version':
      process.stdout.write(`${versionText()}\n`);
  }
}

function overviewOptions({ crs, memory, share }: Extract<Command, { name: 'overview' }>) {
  const parsed = parseBytes(memory);
  const memoryBytes = 'value' in parsed ? parsed.value : 0;
  if (memoryBytes < 2 ** 20) throw new UsageError(`--memory ${memory}: a size of at least 1MiB`);
  if (!(Number(share) >= 0 && Number(share) <= 1)) throw new UsageError(`--share ${share}: a number from 0 to 1`);
  return { crs, memoryBytes, share: Number(share) };
}

function versionText(): string {
  const path = fileURLToPath(new URL('../package.json', import.meta.url));
  return JSON.parse(readFileSync(path, 'utf8')).version;
}

async function start(command: ServeCommand): Promise<void> {
  const config = configOf(command);
  const limit = readLimit({ flag: config.memory.limit ?? undefined });
  const budget = budgetOf(limit.bytes, config);
  const segmentBytes = segmentBytesOf(budget, config);
  relaunch(budget, segmentBytes);
  const log: Logger = pino({ level: config.log.level, base: { service: 'plimsoll' } });
  log.info({ limit: limit.bytes, source: limit.source, budget }, `memory budget\n${describeBudget(budget)}`);
  if (!(await segmentReturns({ segmentBytes }))) log.warn(segmentsStay(segmentBytes));
  const app = await createApp({
    config,
    limit,
    budget,
    log,
    readLimit: limitReader({ flag: config.memory.limit ?? undefined }),
  });
  const address = await app.server.listen({ host: config.server.host, port: config.server.port });
  const { port } = new URL(address);
  const base = config.server.publicUrl?.replace(/\/+$/, '') ?? `http://localhost:${port}`;
  const layers = app.catalogue.list();
  const refused = layers.filter(layer => !layer.verdict.servable);
  log.info(
    { layers: layers.length, refused: refused.map(layer => layer.id) },
    `serving ${layers.length - refused.length} of ${layers.length} layers`,
  );
  process.stdout.write(`Plimsoll serves ${layers.length - refused.length} layers: ${base}/\n`);
  handleSignals(app, command, config, log, Number(port));
}

/** A limit that cannot work is the operator's to change, as a wrong configuration is: the table, and no stack. */
function budgetOf(limitBytes: number, config: Config): Budget {
  try {
    return budgetFor(limitBytes, config);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exit(EXIT.config);
  }
}

/** Node takes its heap limit and its allocator's habits at birth only, so the process becomes another, with the same pid. */
function relaunch(budget: Budget, segmentBytes: number): void {
  if (process.env['PLIMSOLL_RELAUNCH'] === '0' || process.execve === undefined) return;
  const settings = launchSettings(budget, segmentBytes);
  const have = { execArgv: process.execArgv, nodeOptions: process.env['NODE_OPTIONS'] ?? '', env: process.env };
  if (missingLaunch(settings, have).length === 0) return;
  const env = { ...settings.env, ...process.env, PLIMSOLL_RELAUNCH: '0' } as Record<string, string>;
  process.execve(
    process.execPath,
    [process.execPath, ...settings.execArgv, ...process.execArgv, ...process.argv.slice(1)],
    env,
  );
}

function configOf(command: ServeCommand): Config {
  const file = command.config ?? process.env['PLIMSOLL_CONFIG'] ?? null;
  const config = loadConfig({ file, env: process.env, flags: command.flags, paths: command.paths });
  for (const path of command.paths)
    if (!isUrl(path) && !existsSync(path)) throw new UsageError(`${path} does not exist`);
  const nothing = config.paths.length === 0 && Object.keys(config.layers).length === 0;
  return nothing ? { ...config, paths: [fileURLToPath(new URL('../demo', import.meta.url))] } : config;
}

type Running = Awaited<ReturnType<typeof createApp>>;

function handleSignals(app: Running, command: ServeCommand, config: Config, log: Logger, port: number): void {
  let ending = false;
  const end = async (signal: string) => {
    if (ending) return;
    ending = true;
    log.info({ signal }, 'draining: requests under way may finish');
    const timer = setTimeout(() => {
      log.error('requests were still under way after server.shutdownTimeout');
      process.exit(1);
    }, config.server.shutdownTimeout);
    await app.close();
    await allSent(port);
    clearTimeout(timer);
    log.info('drained');
    process.exit(0);
  };
  process.on('SIGTERM', () => void end('SIGTERM'));
  process.on('SIGINT', () => void end('SIGINT'));
  process.on('SIGHUP', async () => {
    try {
      const changes = await app.reload(configOf(command));
      log.info({ changes }, 'reloaded');
    } catch (error) {
      const issues = error instanceof ConfigError ? error.issues.map(formatIssue) : [String(error)];
      log.error({ issues }, 'the new configuration is refused; the old one stays');
    }
  });
}

main().catch((error: unknown) => {
  if (error instanceof UsageError) {
    process.stderr.write(`${error.message}\n`);
    process.exit(EXIT.usage);
  }
  if (error instanceof ConfigError) {
    process.stderr.write(`${error.issues.map(formatIssue).join('\n')}\n`);
    process.exit(EXIT.config);
  }
  process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
  process.exit(EXIT.software);
});
