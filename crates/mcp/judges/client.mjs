// The newer SDK of the npm registry calls every tool, in the newer revision where it speaks it.
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { asked } from './asked.mjs';

const client = new Client({ name: 'client', version: '1' });
await client.connect(new StreamableHTTPClientTransport(new URL(process.argv[2])));
await asked('@modelcontextprotocol/client', client);
