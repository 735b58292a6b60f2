// Another language: `outlast serve examples/order.yaml` and a client that knows only HTTP. node examples/client.mjs http://127.0.0.1:8000
const base = process.argv[2];

async function call(path, body, type = "application/json") {
  const given = body && { method: "POST", headers: { "content-type": type }, body: JSON.stringify(body) };
  const answer = await fetch(base + path, given || {});
  if (!answer.ok) throw new Error((await answer.json()).detail);
  return answer.json();
}

// What an event is known by: said again, it gets the first answer.
function say(type, id) {
  const event = { specversion: "1.0", source: "client", id, type, subject: "order-1" };
  return call("/v1/events", event, "application/cloudevents+json");
}

await call("/v1/instances", { instances: [{ instance: "order-1", machine: "order", fields: { cents: 1200 } }] });
console.log((await say("ship", "a")).refusal);
console.log((await say("pay", "b")).accepted, (await say("pay", "b")).repeated);
console.log((await say("ship", "c")).transitions.join());
