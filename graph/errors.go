package graph

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"runtime/debug"
	"strings"
	"time"

	"entgo.io/ent/privacy"
	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/readout-dev/readout/ent/db"
	"github.com/readout-dev/readout/internal/fault"
	"github.com/readout-dev/readout/internal/problem"
	"github.com/readout-dev/readout/store"
)

// presenter shows errors as the one table of codes says. Only a fault's message reaches a client; what is our fault is
// logged, once, here.
func presenter(log *slog.Logger) graphql.ErrorPresenterFunc {
	return func(ctx context.Context, err error) *gqlerror.Error {
		var shown *gqlerror.Error
		if errors.As(err, &shown) && shown.Err == nil && shown.Extensions["code"] != notANode {
			return shown // of the language itself: parsing, validation, variables
		}
		f := toFault(err)
		if errors.Is(ctx.Err(), context.DeadlineExceeded) { // else it would look like the database's doing
			f = fault.Wrap(err, fault.Unavailable, "this takes too long: ask for less at once").After(time.Second)
		}
		problem.Log(ctx, log, f)
		return &gqlerror.Error{
			Err:        f, // for who has to know what it was; it is not shown
			Message:    f.Message,
			Path:       graphql.GetPath(ctx),
			Extensions: extensions(ctx, f),
		}
	}
}

func extensions(ctx context.Context, f *fault.Error) map[string]any {
	e := map[string]any{"code": f.Code.Door().GraphQL}
	if id := problem.RequestID(ctx); id != "" && f.Code == fault.Internal {
		e["requestId"] = id
	}
	if f.RetryAfter > 0 {
		e["retryAfter"] = int(math.Ceil(f.RetryAfter.Seconds()))
	}
	return e
}

// notANode is the code of entgql's error for an id that leads nowhere; its message repeats the id.
const notANode = "NOT_FOUND"

// toFault says in our words what the entities say in theirs.
func toFault(err error) *fault.Error {
	var f *fault.Error
	var language *gqlerror.Error
	switch {
	case errors.As(err, &f):
		return f
	case isEmptyFilter(err):
		return fault.New(fault.Invalid, "a filter has an empty object in it: leave it out")
	case db.IsNotFound(err), errors.As(err, &language) && language.Err == nil:
		return fault.New(fault.NotFound, "not found")
	case errors.Is(err, privacy.Deny):
		return fault.New(fault.Forbidden, "this is not allowed")
	case db.IsValidationError(err):
		var invalid *db.ValidationError
		errors.As(err, &invalid)
		return fault.Wrap(err, fault.Invalid, "the value of %s is not allowed", camel(invalid.Name))
	}
	return fault.Of(store.Fault(err))
}

// camel returns the name of a column as the API has it: keepReadingsDays for keep_readings_days.
func camel(column string) string {
	words := strings.Split(column, "_")
	for i, w := range words[1:] {
		words[i+1] = strings.ToUpper(w[:1]) + w[1:]
	}
	return strings.Join(words, "")
}

// isEmptyFilter reports whether an object inside a filter says nothing, which entgql refuses.
func isEmptyFilter(err error) bool {
	for _, empty := range []error{
		db.ErrEmptyDeviceWhereInput, db.ErrEmptyKeyWhereInput, db.ErrEmptyMemberWhereInput,
		db.ErrEmptyProjectWhereInput, db.ErrEmptySeriesWhereInput, db.ErrEmptyUserWhereInput,
	} {
		if errors.Is(err, empty) {
			return true
		}
	}
	return false
}

// recovered turns a panic into one error and one log line.
func recovered(log *slog.Logger) graphql.RecoverFunc {
	return func(ctx context.Context, p any) error {
		log.ErrorContext(ctx, "panic in a resolver", "panic", fmt.Sprint(p), "stack", string(debug.Stack()), "request_id", problem.RequestID(ctx))
		return fault.New(fault.Internal, "something went wrong here")
	}
}
