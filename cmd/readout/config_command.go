package main

import (
	"encoding/json"
	"fmt"
	"text/tabwriter"
)

// configCmd prints the effective configuration.
type configCmd struct {
	Config `embed:""`
	JSON   bool `help:"Print one JSON object, keyed by variable."`
}

// Run prints it.
func (c *configCmd) Run(con console) error {
	if c.JSON {
		values := map[string]string{}
		for _, s := range c.settings() {
			values[s.env] = s.value
			if s.secret && s.value != "" {
				values[s.env] = s.masked()
			}
		}
		return json.NewEncoder(con.out).Encode(values)
	}
	w := tabwriter.NewWriter(con.out, 0, 8, 2, ' ', 0)
	fmt.Fprintln(w, "VARIABLE\tFLAG\tVALUE")
	for _, s := range c.settings() {
		fmt.Fprintf(w, "%s\t%s\t%s\n", s.env, s.flag, s.masked())
	}
	return w.Flush()
}
