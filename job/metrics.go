package job

import (
	"context"
	"errors"
	"math"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"

	"github.com/readout-dev/readout/store"
)

// metrics counts what this process has done; only what waits is of the whole database.
type metrics struct {
	tries  *prometheus.CounterVec
	took   *prometheus.HistogramVec
	failed func() // is told of each try that has failed
}

// The outcomes of a try.
const (
	done    = "done"
	failed  = "failed" // tried again later
	givenUp = "given_up"
)

// newMetrics registers the metrics with reg, unless it is nil.
func newMetrics(reg prometheus.Registerer, pool *pgxpool.Pool, onFailure func()) *metrics {
	m := &metrics{
		failed: onFailure,
		tries: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "readout_job_tries_total", Help: "Tries of jobs in this process, by kind and outcome: done, failed (tried again later) or given_up.",
		}, []string{"kind", "outcome"}),
		took: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "readout_job_duration_seconds", Help: "How long a try of a job took.", Buckets: []float64{.01, .1, 1, 10, 60},
		}, []string{"kind"}),
	}
	if reg == nil {
		return m
	}
	reg.MustRegister(m.tries, m.took, prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "readout_jobs_waiting", Help: "Jobs of all replicas that are not done yet, those that run among them; asked of PostgreSQL at each scrape, NaN when it does not answer.",
	}, func() float64 { return waiting(pool) }))
	return m
}

// count is the middleware around every try.
func (m *metrics) count(ctx context.Context, job *rivertype.JobRow, work func(context.Context) error) error {
	begun := time.Now()
	outcome := failed // by a panic, unless it comes to the end
	defer func() {
		m.took.WithLabelValues(job.Kind).Observe(time.Since(begun).Seconds())
		m.tries.WithLabelValues(job.Kind, outcome).Inc()
		if outcome == failed {
			m.failed()
		}
	}()
	err := work(ctx)
	outcome = outcomeOf(job, err)
	return err
}

func outcomeOf(job *rivertype.JobRow, err error) string {
	var cancelled *river.JobCancelError
	switch {
	case err == nil:
		return done
	case errors.As(err, &cancelled), job.Attempt >= job.MaxAttempts:
		return givenUp
	}
	return failed
}

func waiting(pool *pgxpool.Pool) float64 {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	n, err := store.WaitingJobs(ctx, pool)
	if err != nil {
		return math.NaN()
	}
	return float64(n)
}
