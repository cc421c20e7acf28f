import { writeFileSync } from "node:fs";
import { asyncApi, recordTypes } from "./topic-documents.ts";

const root = new URL("../../", import.meta.url);
writeFileSync(new URL("avro/records.d.ts", root), recordTypes());
writeFileSync(new URL("docs/asyncapi.json", root), asyncApi());
