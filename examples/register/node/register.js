// SPDX-License-Identifier: MIT
// Tells dochak what a send API has answered. Copy register() into your application; it needs no package.
//
//   echo '{"provider": "bizgo", "response": {"code": "A000", "msgKey": "key-17"}, "recipient": "+821012345678"}' |
//   DOCHAK_INGRESS_URL=http://localhost:8080 DOCHAK_INGRESS_KEY=… node register.js
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

// One registration or up to 500. Returns what dochak has read from them, when they are durable. The same acceptance twice is one
// acceptance, so this asks again where no answer came.
export async function register(registrations) {
  for (const pause of [200, 1000, 5000, null]) {
    try {
      const answer = await fetch(`${process.env.DOCHAK_INGRESS_URL}/v1/notifications`, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${process.env.DOCHAK_INGRESS_KEY}` },
        body: JSON.stringify(registrations),
        signal: AbortSignal.timeout(5000),
      });
      const body = await answer.json();
      if (answer.ok) return body.notifications;
      if (answer.status !== 503) throw new RangeError(body.error.message); // what is wrong with which of them
      if (pause === null) throw new Error(body.error.message);
    } catch (error) {
      if (error instanceof RangeError || pause === null) throw error;
    }
    await sleep(pause);
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const notification of await register(JSON.parse(readFileSync(0, 'utf8')))) console.log(JSON.stringify(notification));
}
