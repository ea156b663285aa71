package job

import (
	"context"

	"github.com/riverqueue/river/rivertype"

	"github.com/readout-dev/readout/internal/fault"
)

// MaxArgs is how many bytes the arguments of a job may take as JSON: ids fit, letters do not.
const MaxArgs = 1000

func refuseLarge(_ context.Context, job *rivertype.JobInsertParams) error {
	if len(job.EncodedArgs) > MaxArgs {
		return fault.New(fault.TooLarge, "the arguments of a job take at most %d bytes", MaxArgs)
	}
	return nil
}
