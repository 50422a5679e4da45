// The older SDK of the npm registry calls every tool. URL, then the calls as JSON.
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { asked } from './asked.mjs';

const client = new Client({ name: 'sdk', version: '1' });
await client.connect(new StreamableHTTPClientTransport(new URL(process.argv[2])));
await asked('@modelcontextprotocol/sdk', client);
