// `npm run service -- billing`: starts one service as a process of its own.
import { env } from 'node:process';

// GraphQL is not loaded here, but the same holds for every library that checks more for developers.
env['NODE_ENV'] ??= 'production';

const services = [
  'accounts',
  'containers',
  'quotas',
  'packages',
  'billing',
  'provisioning',
  'audit',
];
const [, , name = ''] = process.argv;
if (!services.includes(name)) {
  console.error(
    `There is no service ${name === '' ? 'without a name' : name}. Start one of: ${services.join(', ')}, e.g. npm run service -- billing`,
  );
  process.exit(1);
}
const main = new URL(`../services/${name}/src/main.ts`, import.meta.url);
await import(main.href);
