// `npm run service -- billing`: starts one service as a process of its own.
import { env } from 'node:process';

// GraphQL is not loaded here, but the same holds for every library that checks more for developers.
env['NODE_ENV'] ??= 'production';

const { servicePorts } = await import('@bivouac/infra/process');
const services = Object.keys(servicePorts);
const [, , name = ''] = process.argv;
if (services.includes(name)) await import(`../services/${name}/src/main.ts`);
else {
  const wrong = name === '' ? 'Say which service' : `There is no service ${name}`;
  console.error(`${wrong}: one of ${services.join(', ')}, e.g. npm run service -- billing`);
  process.exitCode = 1;
}
