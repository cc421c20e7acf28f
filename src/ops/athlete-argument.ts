import { InvalidArgumentError } from "commander";
import { isAthleteId } from "../domain/ids.ts";

/** An athlete's id on the command line. */
export const athleteArgument = (id: string): string => {
  if (isAthleteId(id)) return id;
  throw new InvalidArgumentError("1 to 64 letters, digits, _ or -, starting with a letter or digit");
};
